"""What the schema allows at one place of the file; asked only when something there is wrong or needs a type."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from waypost.config.place import Place
from waypost.config.schema import Config

__all__ = ["allowed_at", "choices_at", "is_text_at", "keys_at"]

_Schema = dict[str, Any]


def allowed_at(place: Place) -> list[_Schema]:
    """Find the JSON schemas that may apply at ``place``: several for a union, none where nothing is allowed."""
    found = list(_branches(_root()))
    for step in place:
        found = [branch for schema in found for child in _children(schema, step) for branch in _branches(child)]
    return found


def keys_at(place: Place) -> list[str]:
    """List the keys that a mapping at ``place`` may have; empty where they are free."""
    return [key for schema in allowed_at(place) for key in schema.get("properties", ())]


def choices_at(place: Place) -> list[str]:
    """List the values that a choice at ``place`` may take."""
    return [str(value) for schema in allowed_at(place) for value in schema.get("enum", ()) or _constant(schema)]


def is_text_at(place: Place) -> bool:
    """Tell whether a scalar at ``place`` may be text; True where nothing is known."""
    kinds = {schema.get("type", "string") for schema in allowed_at(place)}
    return not kinds or "string" in kinds


@cache
def _root() -> _Schema:
    return Config.model_json_schema()


def _branches(schema: _Schema) -> Iterator[_Schema]:
    if "$ref" in schema:
        yield from _branches(_root()["$defs"][schema["$ref"].rpartition("/")[2]])
    elif unions := schema.get("anyOf", schema.get("oneOf")):
        for branch in unions:
            yield from _branches(branch)
    else:
        yield schema


def _constant(schema: _Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else []


def _children(schema: _Schema, step: str | int) -> Iterator[_Schema]:
    if isinstance(step, int):
        child = schema.get("items")
    else:
        free = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
        child = schema.get("properties", {}).get(step) or next(filter(None, free), None)
    if isinstance(child, dict):
        yield child
