"""What the cache keeps of one answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from waypost.types import Wire

__all__ = ["Entry", "Vector"]

Vector: TypeAlias = NDArray[np.float16]
"""An embedding of length 1. Half precision moves a cosine by less than 0.001."""

_OVERHEAD: Final = 1_000
"""Bytes that an entry takes beside its texts and its vector: objects, digests, its place in the indexes."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One complete answer in the form of a body that was not streamed, and what it answers."""

    exact: str
    """Digest of the whole request; the entry's name in every store."""
    partition: str
    """Digest of all but the question; empty when only an identical request is served."""
    question: str
    body: bytes
    wire: Wire
    created: float
    """Unix seconds."""
    ttl: float
    """Seconds from ``created``."""
    decision: str
    model: str
    owner: str
    vector: Vector | None = None
    """Of the question; None when only an identical request is served, and where a store keeps it elsewhere."""

    @property
    def expires(self) -> float:
        """Unix seconds from which on it is not served."""
        return self.created + self.ttl

    @property
    def size(self) -> int:
        """Bytes, estimated."""
        vector = 0 if self.vector is None else 2 * self.vector.nbytes  # searched in single precision
        return len(self.body) + len(self.question.encode("utf-8", "replace")) + vector + _OVERHEAD

    def age(self, now: float) -> int:
        """Whole seconds since it was stored, for the header ``Age``."""
        return max(0, int(now - self.created))

    def without_vector(self) -> Self:
        """Return the same entry for a store that keeps vectors elsewhere."""
        return replace(self, vector=None)

    def dump(self) -> bytes:
        """Write one line of JSON, then the vector, then the body."""
        vector = b"" if self.vector is None else self.vector.astype("<f2").tobytes()
        names = ("exact", "partition", "question", "wire", "created", "ttl", "decision", "model", "owner")
        facts: dict[str, Any] = {name: getattr(self, name) for name in names} | {"vector": len(vector)}
        return json.dumps(facts, separators=(",", ":")).encode() + b"\n" + vector + self.body

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what :meth:`dump` wrote. Raises ValueError."""
        head, newline, rest = data.partition(b"\n")
        try:
            facts = json.loads(head)
            length = facts.pop("vector")
            vector = np.frombuffer(rest[:length], "<f2").astype(np.float16) if length else None
            if not newline or len(rest) < length:
                raise ValueError("cut short")
            return cls(**facts, body=rest[length:], vector=vector)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"not an entry of the cache: {error}") from error
