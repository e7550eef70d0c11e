"""A tool as it is read: its name, what it says of itself, and the JSON that is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from waypost.wire.encode import Written, encodable, to_json

__all__ = ["Tool"]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. Texts hold no lone surrogates."""

    name: str
    description: str = ""
    parameters: str = ""
    """Names and descriptions of its parameters, as one text."""
    labels: frozenset[str] = frozenset()
    """Tags and category; only tools of a database have any."""
    value: Mapping[str, Any] = field(default_factory=dict)
    """What stands in a request's ``tools``."""
    written: Written | None = None
    """The same, to the byte, as the database has it."""

    @classmethod
    def read(
        cls,
        value: Mapping[str, Any],
        *,
        more: str = "",
        labels: frozenset[str] = frozenset(),
        written: Written | None = None,
    ) -> Self | None:
        """Understand an element of ``tools``: a function or a custom tool. None for any other, which has no name.

        ``more`` is said of the tool beside its own description.
        """
        match value:
            case {"function": {"name": str(name)} as body} | {"custom": {"name": str(name)} as body}:
                own = body.get("description")
                said = dict.fromkeys(filter(None, (own if isinstance(own, str) else "", more)))
                parameters = " ".join(_parameters(body.get("parameters")))
                return cls(encodable(name), encodable(" ".join(said)), encodable(parameters), labels, value, written)
            case _:
                return None

    @property
    def sent(self) -> Written:
        """What a request is given."""
        return self.written or Written(to_json(self.value))

    @property
    def text(self) -> str:
        """What is embedded."""
        return f"{self.name}: {self.description}"


def _parameters(schema: object) -> Iterator[str]:
    """Name and describe the properties of a JSON schema; what lies deeper says little about the tool's use."""
    match schema:
        case {"properties": dict(properties)}:
            for name, about in properties.items():
                yield name
                match about:
                    case {"description": str(description)}:
                        yield description
