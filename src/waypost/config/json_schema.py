"""The JSON schema of ``waypost.yaml``, for editors and for checks in CI (draft 2020-12)."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from waypost.config import schema as models
from waypost.config.schema import Config

__all__ = ["json_schema"]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ENVIRONMENT: Final = {
    "type": "string",
    "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}",
    "description": "A value from the environment: ${NAME} or ${NAME:-default}.",
}
_BY_NAME: Final = frozenset({"$defs", "properties", "patternProperties"})
_LISTS: Final = frozenset({"anyOf", "oneOf"})
_SINGLE: Final = frozenset({"items", "additionalProperties"})
_CONSTRAINTS: Final = frozenset({"pattern", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "minLength"})
_SCALARS: Final = frozenset({"string", "integer", "number", "boolean"})
_NOTES: Final = frozenset({"title", "description", "default", "examples"})


def json_schema() -> dict[str, Any]:
    """Build the schema, the same on every call; descriptions are the docstrings of :mod:`waypost.config.schema`."""
    schema = Config.model_json_schema(by_alias=True)
    _write_defaults(Config, schema)
    for name, part in schema["$defs"].items():
        _write_defaults(getattr(models, name, Config), part)
    schema = _with_environment(schema)
    schema["$defs"]["Environment"] = _ENVIRONMENT
    return {"$schema": _DIALECT, **schema, "title": "waypost.yaml"}


def _write_defaults(model: type[BaseModel], schema: dict[str, Any]) -> None:
    """Write defaults as they stand in a file, ``5s`` and not ``5.0``: pydantic gives the values themselves."""
    defaults = model.model_construct().model_dump(mode="json", by_alias=True)
    for name, part in schema.get("properties", {}).items():
        if "default" in part and name in defaults:
            part["default"] = defaults[name]


def _with_environment(schema: dict[str, Any]) -> dict[str, Any]:
    changed = dict(schema)
    for key in _BY_NAME & schema.keys():
        changed[key] = {name: _with_environment(child) for name, child in schema[key].items()}
    if "patternProperties" in schema:
        changed["additionalProperties"] = False
    for key in _LISTS & schema.keys():
        changed[key] = [_with_environment(child) for child in schema[key]]
    for key in _SINGLE & schema.keys():
        if isinstance(schema[key], dict):
            changed[key] = _with_environment(schema[key])
    return _or_environment(changed)


def _or_environment(schema: dict[str, Any]) -> dict[str, Any]:
    """Let ``${NAME}`` stand where a number, a choice or text of a certain form is asked for."""
    kind = schema.get("type")
    if kind not in _SCALARS or (kind == "string" and not _CONSTRAINTS & schema.keys()):
        return schema
    notes = {key: value for key, value in schema.items() if key in _NOTES}
    itself = {key: value for key, value in schema.items() if key not in _NOTES}
    return {**notes, "anyOf": [itself, {"$ref": "#/$defs/Environment"}]}
