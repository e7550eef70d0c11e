"""The schema of ``cache`` and of a decision's own ``cache``."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from waypost.config.secret import SecretFile, Variable, require_variable
from waypost.config.strict import Strict
from waypost.config.units import Bytes, PositiveSeconds, parse_bytes

__all__ = ["CacheConfig", "DecisionCache", "Scope"]

Similarity = Annotated[float, Field(ge=0.0, le=1.0)]

Scope = Literal["user", "tenant", "global"]
"""Who may be served the answer to whose request."""

_URL: Final = r"^(rediss?|unix|https?)://[^\s@]+$"

HeaderName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,127}$")]


class CacheConfig(Strict):
    """Answers from memory instead of from a backend. Absent: nothing is cached."""

    backend: Literal["memory", "redis", "qdrant", "milvus"] = "memory"
    """``memory`` is this process's own; the others are servers that several routers may share."""
    path: str | None = Field(None, min_length=1)
    """With ``memory``: SQLite file from which it is filled again after a restart. With ``qdrant`` (a directory) and
    ``milvus`` (a file): no server, but the database embedded in this process. It holds questions and answers."""
    url: Annotated[str, WithJsonSchema({"type": "string", "pattern": _URL})] | None = None
    """Of the server: ``redis://host:6379/0``, ``http://qdrant:6333``, ``http://milvus:19530``. Without a password."""
    url_env: Variable | None = None
    """Environment variable that holds the URL instead, with the password; for Qdrant and Milvus, the password is the
    API key or token: ``https://:KEY@host``."""
    url_file: SecretFile | None = None
    """File that holds the URL instead; read at the start."""
    namespace: str = Field("waypost", pattern=r"^[a-z][a-z0-9_]{0,31}$")
    """Before every name on the server. Routers that share it share entries, bounds and invalidation."""
    copies_bytes: Bytes = 128 * 2**20
    """With ``redis`` without RediSearch: bound of the embeddings that each router copies to itself."""
    similar: bool = True
    """False: only identical requests are served from the cache."""
    similarity: Similarity | None = None
    """How sure it must be that the answer to one question is right for another; absent: the shipped threshold, which
    keeps wrong hits below 1 % on its data. ``waypost cache calibrate`` finds yours."""
    ttl: PositiveSeconds = 3600.0
    """How long an answer is served."""
    max_entries: int = Field(10_000, ge=1, le=10_000_000)
    max_bytes: Bytes = 256 * 2**20
    """Bound of all answers and embeddings. In ``memory`` what was used longest ago goes first, in the other stores what
    would expire first."""
    max_answer: Bytes = 2**20
    """A longer answer is not kept. At most ``8MiB``: Envoy is told an answer in one message."""
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

    @field_validator("url")
    @classmethod
    def _has_no_password(cls, url: str | None) -> str | None:
        if url is not None and "@" in url:
            raise ValueError("a user or password in a URL is not allowed; put the whole URL into url_env or url_file")
        if url is not None and not re.fullmatch(_URL, url):
            raise ValueError("expected a URL such as redis://host:6379/0, unix:///run/redis.sock or http://qdrant:6333")
        return url

    @field_validator("url_env")
    @classmethod
    def _is_a_variable(cls, name: str | None) -> str | None:
        return require_variable(name, "WAYPOST_CACHE_URL", "URL")

    @model_validator(mode="after")
    def _names_a_tenant(self) -> Self:
        if self.scope == "tenant" and self.tenant_header is None:
            raise ValueError("scope tenant needs tenant_header, the header that names the tenant")
        self._has_a_place()
        if self.max_answer > self.max_bytes:
            raise ValueError("max_answer must not be larger than max_bytes")
        if self.max_answer > parse_bytes("8MiB"):  # the limit of a message is twice that; escapes make answers longer
            raise ValueError("max_answer must not be larger than 8MiB")
        if self.max_bytes < parse_bytes("1MiB"):
            raise ValueError("max_bytes must be at least 1MiB")
        return self

    def _has_a_place(self) -> None:
        places = {"path": self.path, "url": self.url, "url_env": self.url_env, "url_file": self.url_file}
        given = " and ".join(name for name, place in places.items() if place is not None)
        wanted = {"memory": ("", "path"), "redis": ("url", "url_env", "url_file")}.get(self.backend, tuple(places))
        if given not in wanted:
            choice = " or ".join(filter(None, wanted))
            raise ValueError(f"backend {self.backend} takes one of {choice}, not {given or 'none'}")

    @property
    def owner_header(self) -> str | None:
        """The header whose value tells owners apart; None in the global scope."""
        return {"user": self.user_header, "tenant": self.tenant_header, "global": None}[self.scope]


class DecisionCache(Strict):
    """What a decision has otherwise than ``cache``."""

    enabled: bool = True
    similarity: Similarity | None = None
    ttl: PositiveSeconds | None = None
