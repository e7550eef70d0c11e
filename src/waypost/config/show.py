"""The configuration in force, with every default, as YAML that loads again; without anything secret."""

from __future__ import annotations

from waypost.config.environment import escape
from waypost.config.load import Loaded
from waypost.config.place import Place
from waypost.config.redact import without_userinfo
from waypost.config.yaml12 import dump

__all__ = ["show"]


def show(loaded: Loaded) -> str:
    """Values from the environment are shown as they are written in the file (``${NAME}``), never resolved."""
    return dump(_shown(loaded.config.model_dump(mode="json", by_alias=True), (), loaded))


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
