"""Whatever is written in the file, ``load`` answers with a Config or a ConfigError of located one-liners."""

import re
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from waypost.config.environment import escape, fill
from waypost.config.find import embedded
from waypost.config.load import loads
from waypost.config.place import dotted
from waypost.config.show import show
from waypost.config.units import format_bytes, format_seconds, parse_bytes, parse_seconds
from waypost.config.yaml12 import dump
from waypost.errors import ConfigError

DEMO = embedded("demo").read_text("utf-8")
ENVIRON = {"A": "1", "B": "a: [b", "C": ""}
PIECES = [
    "\t",
    "\n",
    "  ",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "'",
    '"',
    "#",
    "&a ",
    "*a",
    "!!int ",
    "|\n",
    "<<: ",
    "~",
]
PIECES += [
    "${A}",
    "${B:-x}",
    "${C}",
    "${",
    "$${",
    "\x00",
    "\ufeff",
    "\u2028",
    "数学",
    "no",
    "1e999",
    "-0",
    "---\n",
    "? ",
]
JARGON = re.compile(r"pydantic|tuple|dict|Input should|constrained|NoneType|https?://errors|Value error", re.IGNORECASE)

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from([*PIECES, "math", "5s"])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def load(text: str) -> None:
    """Load; check the manners of what is said when it fails, and that what loads can be shown and loaded again."""
    try:
        loaded = loads(text, "f", ENVIRON)
    except ConfigError as error:
        problems = error.problems
    else:
        problems = loaded.warnings
        assert loads(show(loaded), "shown", ENVIRON).digest == loaded.digest
    for problem in problems:
        line = str(problem)
        assert line.splitlines() == [line]
        assert not JARGON.search(problem.message), line


@given(st.lists(st.tuples(st.integers(0, len(DEMO)), st.integers(0, 20), st.sampled_from(["", *PIECES])), max_size=4))
def test_edits_of_the_text(edits):
    text = DEMO
    for start, length, piece in edits:
        text = text[:start] + piece + text[start + length :]
    load(text)


@given(st.lists(st.tuples(st.integers(0, 150), st.integers(0, 150)), max_size=3))
def test_lines_that_moved_or_were_pasted(moves):
    lines = DEMO.split("\n")
    for source, target in moves:
        lines.insert(target, lines[source % len(lines)])
    load("\n".join(lines))


def nodes(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(inner for key, child in children for inner in nodes(child, (*place, key)))]


lines = st.text(st.characters(codec="utf-8") | st.sampled_from(" \n-#:'\"\x85\u2028"))
PLACES = [place for place in nodes(yaml.safe_load(DEMO)) if place]


@given(st.lists(st.tuples(st.sampled_from(PLACES), values), min_size=1, max_size=3), st.text(max_size=6) | st.none())
def test_values_that_do_not_belong_there(replacements, new_key):
    tree = yaml.safe_load(DEMO)
    for (*parents, last), value in replacements:
        parent = tree
        for step in parents:
            parent = parent[step] if isinstance(parent, dict | list) and step in dict(_items(parent)) else None
        if isinstance(parent, dict):
            parent[last if new_key is None else new_key] = value
        elif isinstance(parent, list) and last < len(parent):
            parent[last] = value
    load(dump(tree))


def _items(value: dict[Any, Any] | list[Any]) -> Any:
    return value.items() if isinstance(value, dict) else enumerate(value)


@given(st.text())
def test_any_text_at_all(text):
    load(text)


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**52), 2**52) | lines, st.lists))
def test_what_is_dumped_is_read_back(value):
    from waypost.config.document import read

    def lists(item: object) -> object:
        return [lists(child) for child in item] if isinstance(item, tuple) else item

    assert lists(read(dump({"key": value}), "f", {}).value["key"]) == value


@given(st.text())
def test_escaped_text_survives(text):
    filled = fill(escape(text), {})
    assert (filled.text, filled.variables, filled.mistakes) == (text, (), ())


@given(st.integers(0, 10**15).map(lambda nanoseconds: nanoseconds / 10**9))
def test_durations_survive(seconds):
    assert parse_seconds(format_seconds(seconds)) == seconds


@given(st.integers(0, 2**49))
def test_sizes_survive(size):
    assert parse_bytes(format_bytes(size)) == size


@given(st.lists(st.text(max_size=5) | st.integers(0, 99)))
def test_a_place_is_written_on_one_line(place):
    text = dotted(tuple(place))
    assert text.splitlines() in ([text], [])


def test_the_demo_itself_loads():
    assert loads(DEMO, str(Path("demo.yaml")), {}).config.models
