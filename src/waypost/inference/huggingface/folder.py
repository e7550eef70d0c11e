"""A directory in Hugging Face's layout, and what to say when a part of it is missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from waypost.errors import SetupError

__all__ = ["ADAPTER_CONFIG", "ADAPTER_WEIGHTS", "CONFIG", "TOKENIZER", "Folder", "read_json"]

CONFIG: Final = "config.json"
TOKENIZER: Final = "tokenizer.json"
ADAPTER_CONFIG: Final = "adapter_config.json"
ADAPTER_WEIGHTS: Final = "adapter_model.safetensors"

_WEIGHTS: Final = "model.safetensors"
_INDEX: Final = "model.safetensors.index.json"
_PICKLES: Final = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_LARGEST_JSON: Final = 2**20


@dataclass(frozen=True, slots=True)
class Folder:
    """Files are looked up when they are asked for. All methods raise SetupError."""

    path: Path

    def has(self, name: str) -> bool:
        """Tell whether there is such a file."""
        return (self.path / name).is_file()

    def file(self, name: str) -> Path:
        """Find a file that must be there."""
        if not self.has(name):
            raise SetupError(f"{self.path} has no {name}")
        return self.path / name

    def json(self, name: str) -> dict[str, Any]:
        """Read a JSON object of at most 1 MiB."""
        return read_json(self.file(name))

    @property
    def is_adapter(self) -> bool:
        """Whether this is a PEFT adapter, which needs a base model."""
        return self.has(ADAPTER_CONFIG)

    def weights(self) -> tuple[Path, ...]:
        """Find the files with the model's tensors: one, or the shards that an index names."""
        if self.has(_WEIGHTS):
            return (self.path / _WEIGHTS,)
        if self.has(_INDEX):
            return self._shards()
        raise SetupError(self._no_safetensors(_WEIGHTS))

    def adapter_weights(self) -> Path:
        """Find the file with an adapter's tensors."""
        if not self.has(ADAPTER_WEIGHTS):
            raise SetupError(self._no_safetensors(ADAPTER_WEIGHTS))
        return self.path / ADAPTER_WEIGHTS

    def _shards(self) -> tuple[Path, ...]:
        listed = self.json(_INDEX).get("weight_map")
        names = set(listed.values()) if isinstance(listed, dict) else set()
        # A name with a directory in it could lead out of the folder.
        if not names or not all(isinstance(name, str) and Path(name).name == name for name in names):
            raise SetupError(f"{self.path / _INDEX} has no 'weight_map' from tensors to files beside it")
        return tuple(self.file(name) for name in sorted(names))

    def _no_safetensors(self, wanted: str) -> str:
        if pickles := sorted(file.name for pattern in _PICKLES for file in self.path.glob(pattern)):
            return (
                f"{self.path} has no {wanted}, and {pickles[0]} is a pickle, which can run code when it is read; "
                "save the model again with safe_serialization=True"
            )
        return f"{self.path} has no {wanted}"


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of at most 1 MiB. Raises SetupError."""
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise SetupError(f"{path} is larger than 1 MiB")
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise SetupError(f"{path} does not hold a JSON object")
    return value
