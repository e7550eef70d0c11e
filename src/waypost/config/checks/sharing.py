"""What several processes cannot use at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from waypost.config.checks.subject import Finding, Subject
from waypost.config.place import Place

__all__ = ["workers_share_the_cache", "workers_share_the_listener"]

_OTHERS: Final = ("http", "api", "metrics")


def workers_share_the_cache(subject: Subject) -> Iterator[Finding]:
    """Refuse a cache inside the process: an answer kept by one worker is unknown to the others, also to be deleted."""
    cache = subject.config.cache
    if cache is None or subject.workers == 1 or not (cache.backend == "memory" or cache.path):
        return
    what = "in memory" if cache.backend == "memory" else f"of an embedded {cache.backend}"
    message = (
        f"a cache {what} belongs to one process, and --workers is {subject.workers}:"
        " take a server (backend: redis), leave out the section, or start with --workers 1"
    )
    yield Finding(("cache",), message, key=True)


def workers_share_the_listener(subject: Subject) -> Iterator[Finding]:
    """Refuse ports of workers that do not exist, or that another listener has."""
    listeners = subject.config.listeners
    first = listeners.extproc.port
    if not first or subject.workers == 1:
        return
    last = first + subject.workers - 1
    if last > 65535:
        message = f"--workers is {subject.workers}, and there are not as many ports from {first} on"
        yield Finding(("listeners", "extproc"), message)
    others: list[tuple[Place, int]] = [(("listeners", name), getattr(listeners, name).port) for name in _OTHERS]
    if subject.config.demo:
        others.append((("demo", "listen"), subject.config.demo.listen.port))
    for place, port in others:
        if first < port <= last:
            message = f"the workers listen on the ports {first} to {last}: choose another one"
            yield Finding(place, message)
