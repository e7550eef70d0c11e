"""Where secrets come from: an environment variable or a file, never the configuration itself."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from waypost.config.renewal import Renewal
from waypost.errors import SetupError

__all__ = ["Secret", "SecretFile", "Variable", "only_one", "require_variable"]

_VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"

Variable = Annotated[str, WithJsonSchema({"type": "string", "pattern": _VARIABLE})]
"""The name of an environment variable; check it with :func:`require_variable`."""
SecretFile = Annotated[str, Field(min_length=1)]
"""The path of a file that holds a secret and nothing else, as Docker and Kubernetes mount them."""

_LONGEST: Final = 64 * 2**10
"""Bytes. Whatever is longer is another file, named by mistake."""

_log = logging.getLogger(__name__)


class Secret:
    """One secret. What came from a file is read again when the file changes, as rotated secrets do.

    Raises SetupError when there is none of ``shortest`` characters. A later file that holds none is told once, and the
    secret of before stays.
    """

    def __init__(
        self,
        variable: str | None,
        file: str | None,
        environ: Mapping[str, str],
        *,
        shortest: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = Path(file).expanduser() if file is not None else None
        self._where = f"environment variable {variable!r}" if self._file is None else str(self._file)
        self._shortest = shortest
        self._renewal = Renewal(*([self._file] if self._file else []), clock=clock)
        self._value = self._require(_of_file(self._file) if self._file else _of_variable(variable or "", environ))

    def reveal(self) -> str:
        """Return the value, of a second ago at most."""
        if self._file is not None and self._renewal.due():
            self._renew(self._file)
        return self._value

    def _renew(self, file: Path) -> None:
        try:
            self._value = self._require(_of_file(file))
        except SetupError as error:
            _log.warning("the secret of before stays in use: %s", error)

    def _require(self, value: str) -> str:
        value = value.rstrip("\r\n")
        if not value:
            raise SetupError(f"{self._where} is empty")
        if not value.isprintable():  # it is to be a part of a header
            raise SetupError(f"{self._where} holds several lines or control characters, which is no secret")
        if len(value) < self._shortest:
            raise SetupError(f"{self._where} holds fewer than {self._shortest} characters")
        return value


def _of_variable(name: str, environ: Mapping[str, str]) -> str:
    if value := environ.get(name):
        return value
    raise SetupError(f"environment variable {name!r} {'is empty' if name in environ else 'is not set'}")


def _of_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(content) > _LONGEST:
        raise SetupError(f"{path} is larger than 64 KiB, which is no secret")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise SetupError(f"{path} is not UTF-8, which is no secret") from None


def require_variable(name: str | None, example: str, what: str) -> str | None:
    """Check the name of a variable. Raises ValueError, which never repeats it: people put the secret itself there."""
    if name is not None and not re.fullmatch(_VARIABLE, name):
        raise ValueError(f"needs the name of an environment variable such as {example}, not the {what} itself")
    return name


def only_one(**given: str | None) -> None:
    """Raise ValueError when more than one key was ``given`` a value."""
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise ValueError(f"takes one of {' or '.join(given)}, not {' and '.join(names)}")
