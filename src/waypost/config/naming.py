"""Names as an operator writes them: one, or a list of which any will do."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Discriminator, Field, Tag, WithJsonSchema

from waypost.guard.pii.types import PII_TYPES
from waypost.signals.names import ATTACKS, DOMAINS

__all__ = ["NAME_PATTERN", "Attack", "Attacks", "Domain", "Domains", "Name", "Names", "PiiType", "PiiTypes", "listed"]

NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$"


def _one_or_list(value: object) -> str:
    """Choose the branch of a union by what was written, so that an error speaks of that branch only."""
    return "one" if isinstance(value, str) else "list"


Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""A name that may travel in a header: letters, digits and ``. _ : / -``."""

Names = Annotated[
    Annotated[Name, Tag("one")] | Annotated[tuple[Name, ...], Tag("list")],
    Discriminator(_one_or_list),
]
"""A name or a list of names."""

# An enum would have editors refuse the labels of a classifier of the operator's own.
Domain = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, "examples": list(DOMAINS)})]
Domains = Annotated[
    Annotated[Domain, Tag("one")] | Annotated[tuple[Domain, ...], Tag("list")],
    Discriminator(_one_or_list),
]
"""A label of the domain classifier (the bundled one has 14), or a list of them."""

Attack = Annotated[str, WithJsonSchema({"type": "string", "enum": list(ATTACKS)})]
Attacks = Annotated[
    Annotated[Attack, Tag("one")] | Annotated[tuple[Attack, ...], Tag("list")],
    Discriminator(_one_or_list),
]
"""One kind of attack, or a list of them."""

PiiType = Annotated[str, WithJsonSchema({"type": "string", "enum": list(PII_TYPES)})]
PiiTypes = Annotated[
    Annotated[PiiType, Tag("one")] | Annotated[tuple[PiiType, ...], Tag("list")],
    Discriminator(_one_or_list),
]
"""One type of personal data, or a list of them."""


def listed(names: str | tuple[str, ...]) -> tuple[str, ...]:
    """Read one name or a list of them as a list."""
    return (names,) if isinstance(names, str) else names
