"""What an encoder's directory holds, and proof that nobody changed it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from waypost.errors import SetupError

__all__ = [
    "MANIFEST",
    "MODEL",
    "SHIPPED",
    "TOKENIZER",
    "FileDigest",
    "HeadFacts",
    "Manifest",
    "OverWindows",
    "file_digest",
    "read_digests",
    "verify",
    "verify_files",
]

MANIFEST = "manifest.json"
MODEL = "encoder.onnx"
TOKENIZER = "sentencepiece.model"

SHIPPED: Final = Path(__file__).parent / "weights"
"""The directory of the encoder that comes inside the package."""

_REMEDY: Final = "install waypost again"


@dataclass(frozen=True, slots=True)
class FileDigest:
    """Length and hash of one file."""

    bytes: int
    sha256: str


OverWindows = Literal["mean", "most", "worst", "spans"]
"""What the windows of one text say together.

``mean``: logits averaged by length, for what a whole text is about. ``most``: the greatest probability of each label
but the first, and the least of the first, for what one sentence is enough of. ``worst``: what the window says in which
the head ``jailbreak`` finds its first label least. ``spans``: tags of tokens, joined over the windows.
"""


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """One head of the graph; its output has the head's name."""

    name: str
    labels: tuple[str, ...]
    over_windows: OverWindows
    temperature: float = 1.0
    """Above 1 makes an overconfident head modest; fitted on held-out data."""
    threshold: float = 0.5
    """What a probability must reach, unless the configuration says otherwise."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Describes an encoder. Heads and caches made with one ``recipe`` do not fit another."""

    recipe: str
    """Digest of everything that the vectors depend on: sources, layers, prefix, windows, quantisation."""
    dimensions: int
    """Length of the embedding."""
    features: int
    """Length of the feature vector that heads are fitted on; 0 in what ships, whose heads are in the graph."""
    feature_layers: tuple[int, ...]
    prefix: str
    """Put before every window; E5 was trained with it."""
    pooling: str
    engine: str
    sources: tuple[Mapping[str, str], ...]
    """Name, version, sha256, licence and content of each package that the weights came from."""
    files: Mapping[str, FileDigest]
    name: str = "multilingual-e5-small"
    heads: tuple[HeadFacts, ...] = ()
    training: str = ""
    """SHA-256 of the training's own report; empty for a model that was not trained here."""
    gate: Mapping[str, float] = field(default_factory=dict)
    """How near the quantised model comes to the trained one."""

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.files.values())

    def head(self, name: str) -> HeadFacts | None:
        """Find a head of the graph."""
        return next((head for head in self.heads if head.name == name), None)

    def threshold(self, head: str, configured: float | None = None) -> float:
        """Return the configured threshold, else the head's own. Raises SetupError when the encoder has no such head."""
        facts = self.head(head)
        if facts is None:
            raise SetupError(
                f"the encoder has no classifier for {head}; a rule with {head} needs waypost's trained weights"
            )
        return facts.threshold if configured is None else configured

    def write(self, directory: Path) -> None:
        """Write ``manifest.json``."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (directory / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> Manifest:
        """Read ``manifest.json``. Raises SetupError when it is missing or not one of ours."""
        path = directory / MANIFEST
        try:
            fields: dict[str, Any] = json.loads(path.read_bytes())
            files = read_digests(fields.pop("files"))
            layers, sources = tuple(fields.pop("feature_layers")), tuple(fields.pop("sources"))
            heads = tuple(HeadFacts(labels=tuple(head.pop("labels")), **head) for head in fields.pop("heads", ()))
            return cls(files=files, feature_layers=layers, sources=sources, heads=heads, **fields)
        except OSError as error:
            raise SetupError(f"no encoder in {directory}: {error.strerror}; {_REMEDY}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SetupError(f"{path} is not the manifest of an encoder ({error}); {_REMEDY}") from error


def file_digest(path: Path) -> FileDigest:
    """Measure a file. Reads all of it."""
    with path.open("rb") as file:
        return FileDigest(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def verify(directory: Path) -> Manifest:
    """Read the manifest and check every file against it. Raises SetupError for any that differs."""
    manifest = Manifest.read(directory)
    verify_files(directory, manifest.files, _REMEDY)
    return manifest


def verify_files(directory: Path, files: Mapping[str, FileDigest], remedy: str) -> None:
    """Check files against their digests. Raises SetupError, which ends in ``remedy``, for the first that differs."""
    for name, expected in files.items():
        path = directory / name
        if not path.is_file() or file_digest(path) != expected:
            raise SetupError(f"{path} is missing or was changed; {remedy}")


def read_digests(table: Mapping[str, Mapping[str, Any]]) -> dict[str, FileDigest]:
    """Read the digests of files as a manifest holds them."""
    return {name: FileDigest(**entry) for name, entry in table.items()}
