"""Every error that waypost raises on purpose.

WaypostError
├── ConfigError          the configuration is wrong (exit code 1); holds one Problem per mistake
├── SetupError           this machine lacks something: a port, a package, a model file (exit code 3)
├── DataError            a file of labelled rows is wrong, or cannot prove what is asked of it (exit code 1)
├── RequestError         the client's request cannot be served; becomes an OpenAI-shaped error answer
│   ├── BadRequest           400
│   ├── UnknownModel         404
│   ├── MethodNotAllowed     405
│   ├── TooLarge             413
│   ├── RouterFailed         500
│   └── RouterTimeout        504
└── InferenceError       a model gave no answer; the signal becomes unknown, the request goes on
    ├── Overloaded           the queue is full
    └── DeadlineExceeded     the answer came too late
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "BadRequest",
    "ConfigError",
    "DataError",
    "DeadlineExceeded",
    "InferenceError",
    "MethodNotAllowed",
    "Overloaded",
    "Problem",
    "RequestError",
    "RouterFailed",
    "RouterTimeout",
    "SetupError",
    "TooLarge",
    "UnknownModel",
    "WaypostError",
]


class WaypostError(Exception):
    """Base of the tree. ``str(error)`` is one line a user can act on."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration file. ``line`` and ``column`` count from 1; 0 means the whole file."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where} {self.path}: {self.message}" if self.path else f"{where} {self.message}"


class ConfigError(WaypostError):
    """The configuration cannot be used. All mistakes are reported at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SetupError(WaypostError):
    """The machine lacks something that waypost needs; the message says what to do."""

    exit_code = 3


class DataError(WaypostError):
    """A file of labelled rows is wrong, or too small to prove what is asked of it."""


class RequestError(WaypostError):
    """The client's request cannot be served, because of what it is or because of us.

    ``status``, ``type``, ``code`` and ``param`` are the fields of OpenAI's error object
    (https://platform.openai.com/docs/guides/error-codes).
    """

    status = 400
    type = "invalid_request_error"

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class BadRequest(RequestError):
    """400: not JSON, a wrong type, a missing field."""


class UnknownModel(RequestError):
    """404: the model named in the request is not in the pool."""

    status = 404

    def __init__(self, model: str, known: Sequence[str]) -> None:
        names = ", ".join(known)
        super().__init__(
            f"The model {model!r} does not exist. Known models: {names}.", code="model_not_found", param="model"
        )


class MethodNotAllowed(RequestError):
    """405: a path of ours with another verb than POST."""

    status = 405

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"Not allowed to {method} on {path}; use POST.", code="method_not_allowed")


class TooLarge(RequestError):
    """413: the body is over the configured limit."""

    status = 413


class RouterFailed(RequestError):
    """500: a mistake of ours, whose traceback is in the log."""

    status = 500
    type = "server_error"

    def __init__(self) -> None:
        super().__init__("The router failed; its log says why.", code="internal_error")


class RouterTimeout(RequestError):
    """504: routing took longer than it may."""

    status = 504
    type = "server_error"

    def __init__(self) -> None:
        super().__init__("The router did not decide in time.", code="router_timeout")


class InferenceError(WaypostError):
    """A model gave no answer."""


class Overloaded(InferenceError):
    """The inference queue is full."""


class DeadlineExceeded(InferenceError):
    """The answer came after the request's deadline."""
