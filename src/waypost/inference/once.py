"""Directories that waypost makes once and can make again: complete or not there at all, by one process at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from waypost.errors import SetupError
from waypost.inference.manifest import MANIFEST

__all__ = ["Progress", "home", "make_once"]

Progress = Callable[[str], None]
"""Takes one line about what happens now."""


def home() -> Path:
    """Where waypost keeps what it can make again: $WAYPOST_HOME, else the user's cache directory."""
    if chosen := os.environ.get("WAYPOST_HOME"):
        return Path(chosen).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "waypost"


def make_once(
    target: Path, *, is_ready: Callable[[Path], bool], make: Callable[[Path], None], progress: Progress
) -> Path:
    """Make sure that ``target`` is ready, and return it. Processes that call this together wait for one of them.

    ``make`` gets the directory to fill. Raises SetupError when it cannot be written, and what ``make`` raises.
    """
    try:
        if is_ready(target):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with _lock(target, progress):
            if not is_ready(target):
                _replace(target, make)
    except OSError as error:
        raise SetupError(f"cannot make {target}: {error} (WAYPOST_HOME moves it)") from error
    return target


@contextmanager
def _lock(target: Path, progress: Progress) -> Iterator[None]:
    """Hold the target's lock file; the system frees it however this process ends."""
    with target.with_name(f"{target.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"another process is making {target}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _replace(target: Path, make: Callable[[Path], None]) -> None:
    if target.exists() and not (target / MANIFEST).exists() and any(target.iterdir()):
        raise SetupError(f"{target} holds something else; choose another directory")
    prefix = f".{target.name}-"
    for left_over in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(left_over)
    with TemporaryDirectory(dir=target.parent, prefix=prefix) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        make(made)
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
