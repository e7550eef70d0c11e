"""A configuration file as plain values, with the position of every one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import yaml

from waypost.config.environment import fill
from waypost.config.place import Place, dotted
from waypost.config.veil import Veil
from waypost.config.yaml12 import MAX_DEPTH, compose, plain_tag
from waypost.errors import ConfigError, Problem

__all__ = ["Document", "Position", "read"]

Position = tuple[int, int]
"""Line and column, from 1."""

MAX_VALUES: Final = 100_000
"""Values in one file after aliases are followed: a few lines of nested aliases could otherwise fill the memory."""

_KNOWN_TAGS: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null"))
_STRUCTURES: Final = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


@dataclass(frozen=True, slots=True)
class Document:
    """Mappings are dicts, lists are tuples, the rest is text, int, float, bool or None."""

    name: str
    value: object
    values: Mapping[Place, Position]
    keys: Mapping[Place, Position]
    """Where the key of a value is; absent for list items."""
    templates: Mapping[Place, str]
    """What is written where a value came from the environment, such as ``https://${HOST}/v1``."""
    veil: Veil
    """Puts that for the value into a text."""

    def problem(self, place: Place, message: str, *, key: bool = False) -> Problem:
        """Locate a problem at the value of ``place``, or at its key; at the nearest parent when it is absent.

        Values from the environment are not shown, whatever ``message`` says.
        """
        return Problem(self.name, *self._position(place, key=key), dotted(place), self.veil(message))

    def _position(self, place: Place, *, key: bool) -> Position:
        if key and place in self.keys:
            return self.keys[place]
        if place in self.values:
            return self.values[place]
        return self._position(place[:-1], key=True) if place else (0, 0)


def read(
    text: str, name: str, environ: Mapping[str, str], *, is_text: Callable[[Place], bool] = lambda _: True
) -> Document:
    """Read one YAML document. Raises ConfigError with every mistake that is not about the schema.

    A value with variables is text wherever ``is_text(place)`` holds; elsewhere it becomes the number, boolean or null
    that it looks like, in quotes or not.
    """
    builder = _Builder(name, environ, is_text)
    root = compose(text, name)
    value = builder.build(root, ()) if root is not None else None
    if not isinstance(value, dict) and not builder.problems:
        message = "is empty" if value is None else "must hold keys at the top, such as 'version: 1'"
        raise ConfigError([Problem(name, 0, 0, "", message)])
    if builder.problems:
        raise ConfigError(sorted(builder.problems, key=lambda problem: (problem.line, problem.column)))
    veil = Veil(builder.templates.values(), environ)
    return Document(name, value, builder.values, builder.keys, builder.templates, veil)


@dataclass
class _Builder:
    name: str
    environ: Mapping[str, str]
    is_text: Callable[[Place], bool]
    problems: list[Problem] = field(default_factory=list)
    values: dict[Place, Position] = field(default_factory=dict)
    keys: dict[Place, Position] = field(default_factory=dict)
    templates: dict[Place, str] = field(default_factory=dict)

    def build(self, node: yaml.Node, place: Place) -> object:
        self.values[place] = _position(node)
        self._check_bounds(node, place)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        if node.tag not in _STRUCTURES:
            self._mistake(node, place, f"unknown tag {_written(node.tag)!r}")
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.build(child, (*place, index)) for index, child in enumerate(node.value))
        return self._mapping(node, place)

    def _check_bounds(self, node: yaml.Node, place: Place) -> None:
        # Only aliases get here: an anchor inside itself is endless, nested ones multiply.
        if len(place) > MAX_DEPTH:
            raise ConfigError([Problem(self.name, *_position(node), "", "this anchor contains an alias of itself")])
        if len(self.values) > MAX_VALUES:
            raise ConfigError([Problem(self.name, 0, 0, "", f"has more than {MAX_VALUES} values")])

    def _mapping(self, node: yaml.Node, place: Place) -> dict[str, object]:
        built: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, place)
            if key is None:
                continue
            here = (*place, key)
            if key in built:
                message = f"duplicate key {key!r} (first on line {self.keys[here][0]})"
                self._mistake(key_node, place, message)
                continue
            self.keys[here] = _position(key_node)
            built[key] = self.build(value_node, here)
        return built

    def _key(self, node: yaml.Node, place: Place) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._mistake(node, place, "a key must be a word; quote a value that starts with '{' or '['")
        elif node.value == "<<":
            self._mistake(node, place, "merge keys (<<) are not supported; write the keys out")
        elif not _is_unicode(node.value):
            self._mistake(node, place, "a key holds half a surrogate pair, which is no character")
        else:
            return str(node.value)
        return None

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> object:
        text, tag = node.value, node.tag
        if tag not in _KNOWN_TAGS:
            self._mistake(node, place, f"unknown tag {_written(tag)!r}")
            return text
        kind = tag.rpartition(":")[2]
        filled = fill(text, self.environ)
        for mistake in filled.mistakes:
            self._mistake(node, place, mistake)
        if filled.variables:
            self.templates[place] = text
            kind = "str" if self.is_text(place) else plain_tag(filled.text)
        try:
            return _convert(kind, filled.text)
        except ValueError as error:
            self._mistake(node, place, str(error))
            return filled.text

    def _mistake(self, node: yaml.Node, place: Place, message: str) -> None:
        self.problems.append(Problem(self.name, *_position(node), dotted(place), message))


def _convert(kind: str, text: str) -> object:
    match kind:
        case "null":
            return None
        case "bool":
            if text.lower() not in ("true", "false"):
                raise ValueError(f"cannot be read as true or false: {text[:40]!r}")
            return text.lower() == "true"
        case "int" | "float":
            return _number(kind, text)
    if not _is_unicode(text):
        raise ValueError("the text holds half a surrogate pair, which is no character")
    return text


def _number(kind: str, text: str) -> float:
    if plain_tag(text) not in ("int", kind):  # an explicit tag before something else
        raise ValueError(f"cannot be read as a number: {text[:40]!r}")
    number = float(int(text, 0)) if text[:2] in ("0o", "0x") else float(text)
    # What the file says is kept to the last digit or refused; beyond 2^53 a float is neither.
    if abs(number) >= 2**53:
        raise ValueError("the number is out of range")
    return number if kind == "float" else int(number)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _position(node: yaml.Node) -> Position:
    mark = node.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _written(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
