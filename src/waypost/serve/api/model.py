"""What all models of the API have in common."""

from __future__ import annotations

import re
import time
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from waypost.guard.pii.types import PII_TYPES

__all__ = ["Ask", "PiiType", "Probability", "Tell", "Text", "Texts", "milliseconds"]

_MOST: Final = 100

Probability = Annotated[float, Field(ge=0.0, le=1.0)]

# Both \s and what only str.isspace() takes for space, so that every regular expression engine means the same.
_READABLE: Final = r"[^\s\x00-\x1f\x85\u200b\ufeff]"


def _readable(text: object) -> object:
    """Look before pydantic does, which would answer with the bare regular expression."""
    if isinstance(text, str) and not re.search(_READABLE, text):
        raise PydanticCustomError("blank", "there is nothing to read in it")
    return text


Text = Annotated[str, Field(pattern=_READABLE), BeforeValidator(_readable)]
"""A text with something to read in it. Its length is bounded by ``api.max_body`` and by the encoder's work cap."""

Texts = Annotated[list[Text], Field(min_length=1, max_length=_MOST)]


def _known(name: str) -> str:
    if name not in PII_TYPES:
        raise ValueError(f"must be one of {', '.join(PII_TYPES)}")
    return name


PiiType = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(PII_TYPES)})]


class Ask(BaseModel):
    """A request: no unknown keys, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


class Tell(BaseModel):
    """An answer. What is not asked for is null."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


def milliseconds(since: float) -> float:
    """Wall time since a reading of ``time.perf_counter()``."""
    return round((time.perf_counter() - since) * 1000, 3)
