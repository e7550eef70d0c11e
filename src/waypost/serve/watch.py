"""Tells when the configuration file changed, also when it is a symlink that Kubernetes swaps."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Final

from watchfiles import awatch

__all__ = ["changes", "digest_of_file"]

_LOOK_MS: Final = 2000
"""The file is looked at so long after the last event: some changes cause none, such as those behind the second of two
links, on a network's file system, or in a directory that was moved here."""


async def changes(path: Path, seen: str) -> AsyncGenerator[str]:
    """Yield the digest of ``path`` whenever it is another than the last time; at first, than ``seen``.

    Directories are watched, not the file: editors replace files by renaming, ConfigMaps by swapping a symlink. So the
    content is compared: whatever else changes there, such as our own log, is nothing to reload for. Raises whatever
    the system has against a watch, after one look at the file.
    """
    async with aclosing(_occasions(path)) as occasions:
        async for _ in occasions:
            if (now := digest_of_file(path)) != seen:
                seen = now
                yield now


def digest_of_file(path: Path) -> str:
    """Hash the content; empty while there is no file, as in the middle of a replacement."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


async def _occasions(path: Path) -> AsyncGenerator[None]:
    """Yield whenever the file is worth a look: at once, at events beside it, and some time after the last."""
    while True:
        watched = _directories(path)
        yield
        events = awatch(
            *watched,
            watch_filter=None,  # or files would be left out by the names of their directories, such as `venv`
            recursive=False,
            debounce=200,
            step=50,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,
        )
        async with aclosing(events):
            async for _ in events:
                yield
                if _directories(path) != watched:  # another took the place of one, or the link leads elsewhere
                    break


def _directories(path: Path) -> Mapping[Path, tuple[int, int]]:
    """Find where the name is and where the file is that it leads to, each with what tells it from a later directory."""
    found = {}
    for follow in (Path.absolute, Path.resolve):
        with suppress(OSError, RuntimeError):  # moved away, perhaps to come back; links in a circle
            directory = follow(path).parent
            status = directory.stat()
            found[directory] = (status.st_dev, status.st_ino)
    return found
