"""What one encoder can be run as: as it is, with finer arithmetic, or only its lower layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from waypost.config.schema import Profile
from waypost.errors import SetupError
from waypost.inference.manifest import MODEL, Manifest
from waypost.inference.session import EARLY, Session

__all__ = ["open_profile"]


def open_profile(directory: Path, manifest: Manifest, profile: Profile) -> tuple[Manifest, Session]:
    """Load the graph as ``profile`` wants it, with the manifest that describes it so.

    Vectors and probabilities of different profiles do not mix, so each has a recipe of its own. Raises SetupError
    when the encoder was not trained for ``fast``.
    """
    path = directory / MODEL
    match profile:
        case "balanced":
            return _heads(manifest, profile), Session.load(path)
        case "quality":
            from waypost.inference.quality import blockwise

            return _heads(manifest, profile), Session.load(path, blockwise(path))
        case "fast":
            if not any(head.name.startswith(EARLY) for head in manifest.heads):
                raise SetupError("this encoder has no early heads; use encoder.profile balanced or quality")
            return _heads(manifest, profile), Session.load(path, early=True)


def _heads(manifest: Manifest, profile: Profile) -> Manifest:
    early = profile == "fast"
    kept = (head for head in manifest.heads if head.name.startswith(EARLY) is early)
    heads = tuple(replace(head, name=head.name.removeprefix(EARLY)) for head in kept)
    recipe = f"{manifest.recipe}+{profile}" if profile != "balanced" else manifest.recipe
    return replace(manifest, heads=heads, recipe=recipe)
