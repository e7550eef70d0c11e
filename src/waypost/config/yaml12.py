"""YAML as this project reads and writes it: the core schema of YAML 1.2, and syntax errors in one line each.

PyYAML follows YAML 1.1, where ``off``, ``no`` and ``12:30`` become false, false and 750. Here they stay text; only
``true``/``false``, ``null``/``~`` and plain numbers are anything else (https://yaml.org/spec/1.2.2/#103-core-schema).
"""

from __future__ import annotations

import re
from typing import Final

import yaml
from yaml.composer import Composer, ComposerError
from yaml.emitter import Emitter
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.representer import SafeRepresenter
from yaml.resolver import BaseResolver, Resolver
from yaml.scanner import Scanner
from yaml.serializer import Serializer

from waypost.errors import ConfigError, Problem

__all__ = ["MAX_DEPTH", "compose", "dump", "plain_tag"]

MAX_DEPTH: Final = 64
"""Levels of nesting; bounds the recursion of everything that walks a file."""

_TAG: Final = "tag:yaml.org,2002:"


class _CoreResolver(BaseResolver):
    """Which plain scalars are not text. Every regular expression is linear."""


class _CautiousResolver(Resolver):
    """Which plain text anybody's reader, of YAML 1.1 or 1.2, could take for something else: it is written in quotes."""


for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    for _resolver in (_CoreResolver, _CautiousResolver):
        _resolver.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), _first)


class _Loader(Reader, Scanner, Parser, Composer, _CoreResolver):
    """Composes nodes, never objects."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _CoreResolver.__init__(self)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        """As in PyYAML, with a bound: its recursion would otherwise overflow the stack on ``[[[[…``."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise ComposerError(None, None, f"nested deeper than {MAX_DEPTH} levels", mark)
        node: yaml.Node | None = super().compose_node(parent, index)  # type: ignore[arg-type]
        self._depth -= 1
        return node


class _Dumper(Emitter, Serializer, SafeRepresenter, _CautiousResolver):
    """Writes what :class:`_Loader` reads back to the same values."""

    def __init__(self, stream: object, **_options: object) -> None:
        Emitter.__init__(self, stream, width=110, allow_unicode=True)  # type: ignore[arg-type]
        Serializer.__init__(self)
        SafeRepresenter.__init__(self, default_flow_style=False, sort_keys=False)
        _CautiousResolver.__init__(self)

    def ignore_aliases(self, _data: object) -> bool:
        """Write a value that occurs twice out twice."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Keep lines as lines; escape what PyYAML would otherwise fold away (U+0085, U+2028, U+2029)."""
        special = not all(character.isprintable() or character == "\n" for character in data)
        style = '"' if special else "|" if "\n" in data else None
        return self.represent_scalar(_TAG + "str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


def dump(value: object) -> str:
    """Write block-style YAML in the given order of keys, without anchors."""
    text: str = yaml.dump(value, Dumper=_Dumper)
    return text


def plain_tag(text: str) -> str:
    """Name the kind of an unquoted scalar: ``str``, ``int``, ``float``, ``bool`` or ``null``."""
    tag: str = _CoreResolver().resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag.removeprefix(_TAG)


def compose(text: str, name: str) -> yaml.Node | None:
    """Parse the one document in ``text``; None when it is empty. Raises ConfigError at the first syntax error."""
    try:
        return _Loader(text).get_single_node()
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        message = f"the character U+{ord(text[error.position]):04X} is not allowed"
        raise ConfigError([Problem(name, line, column, "", message)]) from None
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_located(error, text, name)]) from None


_OPENER: Final = "{opener}"
_PLAINER: Final[tuple[tuple[str, str, bool], ...]] = (
    # PyYAML's words, ours, and whether the mistake is where the construct opens and not where the parser gave up.
    (r"mapping values are not allowed here", "unexpected ':'; quote the value, or check the indentation", False),
    (r"found character '\\t'.*", "a tab cannot be used for indentation; use spaces", False),
    (r"found character '(.+)' that cannot start any token", r"a value cannot start with \1; put it in quotes", False),
    (r"expected ',' or ']', but got .*", f"expected ',' or ']' in the list that begins on line {_OPENER}", False),
    (r"expected ',' or '}', but got .*", f"expected ',' or '}}' in the mapping that begins on line {_OPENER}", False),
    (r"found unexpected end of stream", "the quote that opens here is never closed", True),
    (r"could not find expected ':'", "expected ':' after this key", True),
    (r"found undefined alias '(.*)'", r"unknown alias *\1; put a value that starts with * in quotes", False),
    (r"expected alphabetic or numeric character, .*", "a value cannot start with * or &; put it in quotes", False),
    (r"but found another document", "a second document starts here; one file holds one", False),
    (r"sequence entries are not allowed here", "a list cannot start on the line of its key; move the '-' down", False),
    (r"expected <block end>, but found '-'", "unexpected list item; check the indentation", False),
    (r"expected <block end>, but found '<scalar>'", "unexpected text; check the quotes and the indentation", False),
    (r"expected <block end>, but found .*", "unexpected indentation, or a list and keys mixed on one level", False),
    (r"second occurrence", f"this anchor is already defined on line {_OPENER}", False),
    (r"found unknown escape character '(.*)'", r"unknown escape \\\1; write \\\\\1, or use single quotes", False),
)  # fmt: skip


def _located(error: yaml.MarkedYAMLError, text: str, name: str) -> Problem:
    problem, mark, opener = error.problem or "not valid YAML", error.problem_mark, error.context_mark
    for pattern, plainer, at_opener in _PLAINER:
        if found := re.fullmatch(pattern, problem):
            problem = found.expand(plainer).replace(_OPENER, str(opener.line + 1 if opener else 0))
            mark = opener if at_opener else mark
            break
    if mark is None:
        return Problem(name, 0, 0, "", problem)
    # Inside { } and [ ] the brace of ${NAME} ends the value: the one thing our own syntax makes easy to get wrong.
    if re.match(r"\$\{", text[max(mark.index - 1, 0) :]) and problem.startswith("expected ','"):
        problem = "put ${…} in quotes inside { } and [ ]"
    return Problem(name, mark.line + 1, mark.column + 1, "", problem)
