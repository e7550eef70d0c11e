"""All that an export is made of: found, checked as far as is cheap, and hashed before anything big is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waypost.config import schema
from waypost.errors import SetupError
from waypost.inference.huggingface.adapter import check_adapter, merge
from waypost.inference.huggingface.folder import ADAPTER_CONFIG, CONFIG, TOKENIZER, Folder, read_json
from waypost.inference.huggingface.labels import find_mapping, read_labels
from waypost.inference.huggingface.manifest import Exported
from waypost.inference.huggingface.names import renamed
from waypost.inference.huggingface.shape import Shape, read_shape
from waypost.inference.huggingface.source import locate
from waypost.inference.huggingface.weights import Tensors, read_tensors
from waypost.inference.manifest import file_digest

__all__ = ["Bundle", "read_bundle"]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A classifier as its author left it, and how it is to be run."""

    settings: schema.Classifier
    shape: Shape
    labels: tuple[str, ...]
    tokenizer: Path
    base: Folder
    """The model itself, or what the adapter changes."""
    adapter: Folder | None
    files: tuple[Path, ...]
    """Everything that is read, the tokenizer included."""

    def describe(self) -> Exported:
        """Hash the files. What the export itself consists of is not known yet."""
        precision = self.settings.precision
        roots = [folder.path for folder in (self.adapter, self.base) if folder]
        return Exported(
            model=self.settings.model,
            architecture=self.shape.architecture,
            task=self.shape.task,
            labels=self.labels,
            prefix=self.settings.prefix,
            pooling=self.shape.pooling,
            longest=self.longest,
            precision=precision,
            engine="onnxruntime, int8 per channel" if precision == "int8" else "onnxruntime, fp32",
            sources={_name(path, roots): file_digest(path) for path in self.files},
            files={},
        )

    @property
    def longest(self) -> int:
        """Tokens that the graph reads at once."""
        return min(self.settings.window, self.shape.positions)

    def tensors(self) -> Tensors:
        """Read the weights, merged, under the names of our graphs. Raises SetupError."""
        tensors = renamed(read_tensors(self.base.weights()), self.shape.architecture)
        if self.adapter is None:
            return tensors
        changes = read_tensors([self.adapter.adapter_weights()])
        return merge(tensors, changes, self.adapter.json(ADAPTER_CONFIG), self.shape.architecture)


def read_bundle(settings: schema.Classifier) -> Bundle:
    """Find and check the files that ``settings`` names. Raises SetupError, in one line, for whatever is wrong."""
    folder = locate(settings.model, settings.revision)
    adapter, base = (folder, _base(folder, settings)) if folder.is_adapter else (None, folder)
    task = str(adapter.json(ADAPTER_CONFIG).get("task_type")) if adapter else None
    shape = read_shape(base.json(CONFIG), base.file(CONFIG), task)
    folders = [folder, base] if adapter else [folder]
    mapping = Path(settings.mapping).expanduser() if settings.mapping else find_mapping(folders)
    tokenizer = next((owner for owner in folders if owner.has(TOKENIZER)), folder).file(TOKENIZER)
    files = [base.file(CONFIG), mapping, tokenizer, *base.weights()]
    if adapter:
        files += [adapter.file(ADAPTER_CONFIG), adapter.adapter_weights()]
    return Bundle(settings, shape, read_labels(mapping), tokenizer, base, adapter, tuple(dict.fromkeys(files)))


def _base(adapter: Folder, settings: schema.Classifier) -> Folder:
    config: dict[str, Any] = read_json(adapter.file(ADAPTER_CONFIG))
    check_adapter(config, adapter.path / ADAPTER_CONFIG)
    if settings.base:
        return locate(settings.base)
    named = config.get("base_model_name_or_path")
    if not isinstance(named, str) or not named:
        raise SetupError(f"{adapter.path / ADAPTER_CONFIG} names no base model; name it with the key 'base'")
    try:
        return locate(named, config.get("revision"), beside=adapter.path)
    except SetupError as error:
        raise SetupError(
            f"the base of the adapter in {adapter.path}: {error} (the key 'base' names another)"
        ) from error


def _name(path: Path, roots: list[Path]) -> str:
    """Name a source without this machine's directories."""
    for place, root in zip(("adapter", "model") if len(roots) > 1 else ("model",), roots, strict=True):
        if path.is_relative_to(root):
            return f"{place}/{path.relative_to(root)}"
    return f"mapping/{path.name}"
