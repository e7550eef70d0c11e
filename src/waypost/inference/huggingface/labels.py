"""A classifier's labels, in the order of its outputs: from VSR's mapping files, else from ``config.json``.

Two styles are in use, often both in one file: label to number (``category_to_idx``, ``label_to_idx``, ``label_to_id``,
``label2id``) and number to label (``idx_to_category``, ``idx_to_label``, ``id_to_label``, ``id2label``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from waypost.errors import SetupError
from waypost.inference.huggingface.folder import CONFIG, Folder, read_json

__all__ = ["MAPPING_FILES", "find_mapping", "read_labels"]

MAPPING_FILES: Final = (
    "category_mapping.json",
    "pii_type_mapping.json",
    "jailbreak_type_mapping.json",
    "label_mapping.json",
)
"""In the order of preference."""

_NUMBER_OF: Final = ("category_to_idx", "label_to_idx", "label_to_id", "label2id")
_LABEL_OF: Final = ("idx_to_category", "idx_to_label", "id_to_label", "id2label")
_LONGEST: Final = 128


def find_mapping(folders: Sequence[Folder]) -> Path:
    """Find the file that names the labels, in the first folder that has one. Raises SetupError."""
    for folder in folders:
        for name in (*MAPPING_FILES, CONFIG):
            if folder.has(name) and (name != CONFIG or "id2label" in folder.json(CONFIG)):
                return folder.path / name
    raise SetupError(f"{folders[0].path} names no labels: it has none of {', '.join(MAPPING_FILES)}, nor an id2label")


def read_labels(path: Path) -> tuple[str, ...]:
    """Read the labels from a mapping file. Raises SetupError when they are not numbered from 0 on."""
    content = read_json(path)
    tables = [content[key] for key in (*_NUMBER_OF, *_LABEL_OF) if isinstance(content.get(key), dict)]
    try:
        readings = {_in_order(table) for table in tables or [content]}
    except (ValueError, TypeError) as error:
        raise SetupError(f"{path} does not map labels to the numbers 0, 1, 2, …: {error}") from None
    if len(readings) > 1:
        raise SetupError(f"{path} contradicts itself: its tables give different labels to a number")
    labels = readings.pop()
    _check(labels, path)
    return labels


def _in_order(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Sort by number, whichever side the number is on."""
    to_number = all(isinstance(value, int) and not isinstance(value, bool) for value in table.values())
    pairs = [(value, key) if to_number else (int(key), value) for key, value in table.items()]
    pairs.sort()
    numbers = [number for number, _ in pairs]
    if numbers != list(range(len(pairs))):
        raise ValueError(f"found {', '.join(map(str, numbers[:20])) or 'nothing'}")
    return tuple(label for _, label in pairs)


def _check(labels: tuple[str, ...], path: Path) -> None:
    for label in labels:
        # Labels travel in headers, metrics and logs.
        if not isinstance(label, str) or not label.strip() or not label.isprintable() or len(label) > _LONGEST:
            raise SetupError(f"{path}: {label!r} is no label; a label is printable text of at most {_LONGEST}")
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise SetupError(f"{path} needs at least two labels, and each only once")
