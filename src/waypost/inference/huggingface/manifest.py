"""What an exported classifier is made of, and proof that nobody changed it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

from waypost.errors import SetupError
from waypost.inference.huggingface.shape import Task
from waypost.inference.manifest import MANIFEST, FileDigest, read_digests, verify_files

__all__ = ["LOGITS", "MODEL", "VERSION", "Exported", "Precision", "verify"]

MODEL: Final = "model.onnx"
LOGITS: Final = "logits"
"""The graph's output."""
VERSION: Final = 1
"""Raised when our code makes another graph of the same files."""

Precision = Literal["int8", "fp32"]


@dataclass(frozen=True, slots=True)
class Exported:
    """Describes an export. All but ``model`` and ``files`` is its identity."""

    model: str
    """As the configuration names it."""
    architecture: str
    task: Task
    labels: tuple[str, ...]
    """In the order of the logits."""
    prefix: str
    """Put before every window."""
    pooling: str
    longest: int
    """Tokens of one window, prefix and special tokens included."""
    precision: Precision
    engine: str
    sources: Mapping[str, FileDigest]
    """The files that it was made of."""
    files: Mapping[str, FileDigest]
    version: int = VERSION

    @property
    def digest(self) -> str:
        """Digest of everything that the answers depend on, as hexadecimal SHA-256."""
        identity = {key: value for key, value in asdict(self).items() if key not in ("model", "files")}
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    def write(self, directory: Path) -> None:
        """Write ``manifest.json``, with the digest for people to read."""
        text = json.dumps({"digest": self.digest, **asdict(self)}, indent=2, ensure_ascii=False)
        (directory / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read ``manifest.json``. Raises SetupError when it is missing, changed or not one of ours."""
        path = directory / MANIFEST
        try:
            fields: dict[str, Any] = json.loads(path.read_bytes())
            digest, labels = fields.pop("digest"), tuple(fields.pop("labels"))
            sources, files = read_digests(fields.pop("sources")), read_digests(fields.pop("files"))
            exported = cls(labels=labels, sources=sources, files=files, **fields)
        except OSError as error:
            raise SetupError(f"no exported classifier in {directory}: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SetupError(f"{path} is not the manifest of a classifier ({error}); delete {directory}") from error
        if exported.digest != digest:
            raise SetupError(f"{path} was changed; delete {directory} and start again to rebuild it")
        return exported


def verify(directory: Path) -> Exported:
    """Read the manifest and check every file against it. Raises SetupError for any that differs."""
    exported = Exported.read(directory)
    verify_files(directory, exported.files, f"delete {directory} and start again to rebuild it")
    return exported
