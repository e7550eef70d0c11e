"""The fields that all requests share, and OpenAI's words for what can be wrong with a field."""

from __future__ import annotations

from waypost.errors import BadRequest
from waypost.wire.document import Document
from waypost.wire.encode import encodable

__all__ = ["empty", "missing", "model", "stream", "wrong_type"]

_TYPE_NAMES: dict[type, str] = {
    bool: "a boolean",
    dict: "an object",
    float: "a decimal number",
    int: "an integer",
    list: "an array",
    str: "a string",
    type(None): "null",
}


_LONGEST_NAME = 256  # a name goes into headers, metrics and error messages


def model(document: Document) -> str:
    """Read the model's name. Raises BadRequest when it is absent, empty, too long or no string."""
    name = document.get("model")
    if name is None or name == "":
        raise missing("model")
    if not isinstance(name, str):
        raise wrong_type("model", "a string", name)
    if len(name) > _LONGEST_NAME:
        message = f"Invalid 'model': string too long. Expected at most {_LONGEST_NAME} characters."
        raise BadRequest(message, code="string_above_max_length", param="model")
    return encodable(name)


def stream(document: Document) -> bool:
    """Tell whether the answer is to be streamed; null and absent are False. Raises BadRequest."""
    wanted = document.get("stream")
    if wanted is not None and not isinstance(wanted, bool):
        raise wrong_type("stream", "a boolean", wanted)
    return wanted is True


def missing(param: str) -> BadRequest:
    """Make the error for a required field that is not there."""
    return BadRequest(f"Missing required parameter: {param!r}.", code="missing_required_parameter", param=param)


def empty(param: str) -> BadRequest:
    """Make the error for an array without elements."""
    return BadRequest(
        f"Invalid {param!r}: expected an array with at least one element.", code="empty_array", param=param
    )


def wrong_type(param: str, expected: str, value: object) -> BadRequest:
    """Make the error for a value of another type than ``expected`` (``"a string"``)."""
    got = _TYPE_NAMES[type(value)]
    message = f"Invalid type for {param!r}: expected {expected}, but got {got} instead."
    return BadRequest(message, code="invalid_type", param=param)
