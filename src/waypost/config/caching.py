"""The schema of ``cache`` and of a decision's own ``cache``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from waypost.config.strict import Strict
from waypost.config.units import Bytes, PositiveSeconds, parse_bytes

__all__ = ["CacheConfig", "DecisionCache", "Scope"]

Similarity = Annotated[float, Field(ge=0.0, le=1.0)]

Scope = Literal["user", "tenant", "global"]
"""Who may be served the answer to whose request."""

HeaderName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,127}$")]


class CacheConfig(Strict):
    """Answers from memory instead of from a backend. Absent: nothing is cached."""

    backend: Literal["memory"] = "memory"
    path: str | None = Field(None, min_length=1)
    """SQLite file from which the memory is filled again after a restart; it holds questions and answers."""
    similar: bool = True
    """False: only identical requests are served from the cache."""
    similarity: Similarity | None = None
    """How sure it must be that the answer to one question is right for another; absent: the shipped threshold, which
    keeps wrong hits below 1 % on its data. ``waypost cache calibrate`` finds yours."""
    ttl: PositiveSeconds = 3600.0
    """How long an answer is served."""
    max_entries: int = Field(10_000, ge=1, le=10_000_000)
    max_bytes: Bytes = 256 * 2**20
    """Bound of all answers and embeddings; what was used longest ago goes first."""
    max_answer: Bytes = 2**20
    """A longer answer is not kept."""
    scope: Scope = "user"
    """``user`` and ``tenant``: nobody is served what somebody else was answered."""
    user_header: HeaderName = "authorization"
    """Request header that names the user. Whoever sets it must have authenticated the user; an API key proves itself.
    Without this header a request of scope ``user`` is not cached."""
    tenant_header: HeaderName | None = None
    """The same for scope ``tenant``."""
    timeout: PositiveSeconds = 0.1
    """A store that takes longer is a miss."""
    wait: PositiveSeconds = 10.0
    """How long a request waits for the answer to an identical one that is under way."""

    @model_validator(mode="after")
    def _names_a_tenant(self) -> Self:
        if self.scope == "tenant" and self.tenant_header is None:
            raise ValueError("scope tenant needs tenant_header, the header that names the tenant")
        if self.max_answer > self.max_bytes:
            raise ValueError("max_answer must not be larger than max_bytes")
        if self.max_bytes < parse_bytes("1MiB"):
            raise ValueError("max_bytes must be at least 1MiB")
        return self

    @property
    def owner_header(self) -> str | None:
        """The header whose value tells owners apart; None in the global scope."""
        return {"user": self.user_header, "tenant": self.tenant_header, "global": None}[self.scope]


class DecisionCache(Strict):
    """What a decision has otherwise than ``cache``."""

    enabled: bool = True
    similarity: Similarity | None = None
    ttl: PositiveSeconds | None = None
