"""The configuration in force, with every default, as values or as YAML that loads again; without anything secret."""

from __future__ import annotations

from typing import Any

from waypost.config.environment import escape
from waypost.config.load import Loaded
from waypost.config.place import Place
from waypost.config.redact import without_userinfo
from waypost.config.yaml12 import dump

__all__ = ["show", "shown"]


def show(loaded: Loaded) -> str:
    """Values from the environment are shown as they are written in the file (``${NAME}``), never resolved."""
    return dump(shown(loaded))


def shown(loaded: Loaded) -> dict[str, Any]:
    """Return what :func:`show` writes: milliseconds, where the YAML of many models takes a third of a second."""
    values = loaded.config.model_dump(mode="json", by_alias=True)
    return {key: _shown(value, (key,), loaded) for key, value in values.items()}


def _shown(value: object, place: Place, loaded: Loaded) -> object:
    if place in loaded.templates:
        return without_userinfo(loaded.templates[place])
    match value:
        case dict():
            return {key: _shown(item, (*place, key), loaded) for key, item in value.items()}
        case list():
            return [_shown(item, (*place, index), loaded) for index, item in enumerate(value)]
        case str():
            return escape(without_userinfo(value))
    return value
