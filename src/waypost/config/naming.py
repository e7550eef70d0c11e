"""Names as an operator writes them: one, or a list of which any will do."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Discriminator, Field, Tag, WithJsonSchema

from waypost.signals.names import DOMAINS

__all__ = ["NAME_PATTERN", "Domain", "Domains", "Name", "Names"]

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

Domain = Annotated[str, WithJsonSchema({"type": "string", "enum": list(DOMAINS)})]
Domains = Annotated[
    Annotated[Domain, Tag("one")] | Annotated[tuple[Domain, ...], Tag("list")],
    Discriminator(_one_or_list),
]
"""One of the 14 subject domains, or a list of them."""
