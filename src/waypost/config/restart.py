"""Which changes a running router cannot take over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from waypost.config.place import Place, dotted
from waypost.config.schema import Config

__all__ = ["needs_restart"]

_STORE: Final = (
    "backend",
    "path",
    "url",
    "url_env",
    "url_file",
    "namespace",
    "max_entries",
    "max_bytes",
    "copies_bytes",
    "timeout",
)
_FIXED: Final[tuple[Place, ...]] = (
    ("listeners",),
    ("api",),
    ("tls",),
    ("envoy", "enabled"),
    ("envoy", "request_body"),
    ("envoy", "concurrency"),
    ("envoy", "max_connections"),
    ("envoy", "max_request_body"),
    ("encoder",),
    *(("cache", key) for key in _STORE),
    ("demo",),
    *(("observability", "tracing", key) for key in ("exporter", "endpoint", "service_name", "queue")),
    ("observability", "records"),
)
"""Bound to sockets, processes or loaded models. Everything else is taken over by a reload."""


def needs_restart(old: Config, new: Config) -> tuple[str, ...]:
    """List the dotted keys that differ and take effect only after a restart; empty when a reload does it all."""
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    return tuple(dotted(place) for fixed in _FIXED for place in _changes(_at(before, fixed), _at(after, fixed), fixed))


def _at(value: object, place: Place) -> object:
    for step in place:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _changes(old: object, new: object, place: Place) -> Iterator[Place]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old | new:
            yield from _changes(old.get(key), new.get(key), (*place, key))
    elif old != new:
        yield place
