"""The heads of the multi-task model: what each one reads of the trunk and what it tells apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from waypost.learn.labels import ATTACKS, DOMAINS, INDIRECT, PII_TAGS

__all__ = ["HEADS", "HeadSpec", "Pooling"]

Pooling = Literal["mean", "first", "token"]
"""Mean over all tokens of the sequence, the first token's state, or every token on its own."""


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """A linear layer over chosen hidden states, side by side.

    Features are ordered by pooling, then by layer: all layers' means, then all layers' first tokens.
    """

    name: str
    labels: tuple[str, ...]
    """Empty for a head that gives a vector and no classes."""
    layers: tuple[int, ...]
    """Hidden states that it reads: 0 is the embedding layer's output, 12 the last layer's of a 12-layer trunk."""
    pooling: tuple[Pooling, ...]

    @property
    def width(self) -> int:
        """How many hidden states lie side by side."""
        return len(self.layers) * len(self.pooling)

    def to_json(self) -> dict[str, Any]:
        """The head as it stands in ``config.json``."""
        names = {str(index): label for index, label in enumerate(self.labels)}
        return {"name": self.name, "layers": self.layers, "pooling": self.pooling, "id2label": names}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_json` made."""
        labels = tuple(label for _, label in sorted(data["id2label"].items(), key=lambda item: int(item[0])))
        return cls(data["name"], labels, tuple(data["layers"]), tuple(data["pooling"]))


HEADS: Final = (
    HeadSpec("domain", DOMAINS, (6, 8, 10, 12), ("mean",)),
    HeadSpec("jailbreak", ATTACKS, (8, 10, 12), ("mean", "first")),
    HeadSpec("indirect", INDIRECT, (8, 10, 12), ("mean", "first")),
    HeadSpec("pii", PII_TAGS, (8, 10, 12), ("token",)),
)
"""The bundled model's. Heads read several depths because the last layer is kept close to the sentence embedding."""
