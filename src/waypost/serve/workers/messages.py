"""What the supervisor and a worker say to each other: one JSON object a line, told apart by ``kind``.

::

    supervisor → worker   serve, once; then reload …, at last drain
    worker → supervisor   ready; reloaded or refused, once for each reload; retired and status, at any time

The end of the channel is the end of the other side: a worker drains and ends, a supervisor starts another worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from waypost.config.load import Loaded
from waypost.config.units import Address

__all__ = [
    "NOTICE_SECONDS",
    "STATUS_SECONDS",
    "Drain",
    "Message",
    "Ready",
    "Refused",
    "Reload",
    "Reloaded",
    "Retired",
    "Serve",
    "Status",
    "Written",
    "decode",
    "encode",
]


STATUS_SECONDS: Final = 1.0
"""Between two words of a worker on how it is."""
NOTICE_SECONDS: Final = 2.5
"""From saying that we drain to refusing requests: who balances over us asks every second or two how we are."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Written(_Message):
    """A configuration as the supervisor has read it. The file may say something else by now, or be no file."""

    text: str
    path: str
    """For messages."""

    @classmethod
    def of(cls, loaded: Loaded) -> Self:
        """Take what was loaded."""
        return cls(text=loaded.text, path=str(loaded.path))


class Serve(_Message):
    """The first: what to serve, where, and where to count."""

    kind: Literal["serve"] = "serve"
    config: Written
    address: Address
    """Of ExtProc."""
    counts: str
    """Directory of the metrics."""


class Reload(_Message):
    """Another configuration is in force."""

    kind: Literal["reload"] = "reload"
    config: Written


class Drain(_Message):
    """Let running requests finish, and end."""

    kind: Literal["drain"] = "drain"
    notice: float
    """Seconds between the word that no new requests are wanted, which Envoy hears at its next health check, and the
    refusal of those that come nevertheless."""


class Ready(_Message):
    """Requests are served."""

    kind: Literal["ready"] = "ready"
    address: Address
    """With the port that is bound."""


class Reloaded(_Message):
    """New requests are served by the configuration of the last reload."""

    kind: Literal["reloaded"] = "reloaded"
    settled: bool
    """Whether no request uses an earlier one any more; otherwise ``retired`` will tell."""


class Refused(_Message):
    """What was asked cannot be done: after ``serve`` the worker ends, after ``reload`` its old configuration stays."""

    kind: Literal["refused"] = "refused"
    why: str


class Retired(_Message):
    """No request uses an earlier configuration any more."""

    kind: Literal["retired"] = "retired"


class Status(_Message):
    """How it is; said every second, until it ends: one that falls silent hangs."""

    kind: Literal["status"] = "status"
    pending: int = 0
    """Texts that wait for the encoder or are read by it."""
    failing: Mapping[str, str] = Field({})
    """The guards that cannot tell, and why."""
    cache: tuple[tuple[str, str, int], ...] = ()
    """What came of asking the cache under the configuration in force: see :attr:`Cache.counts`."""


Message = Serve | Reload | Drain | Ready | Reloaded | Refused | Retired | Status

_ANY: Final[TypeAdapter[Message]] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def encode(message: Message) -> bytes:
    """Write a message as a line."""
    return message.model_dump_json().encode() + b"\n"


def decode(line: bytes) -> Message:
    """Read a line. Raises ValueError for what is no message."""
    return _ANY.validate_json(line)
