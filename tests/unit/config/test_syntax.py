"""What is wrong before the schema is asked: the YAML itself."""

import pytest

from waypost.config.document import read
from waypost.errors import ConfigError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{key}: &{key} [{', '.join([f'*{before}'] * 10)}]\n" for before, key in zip("abcde", "bcdef", strict=True)
)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", "f is empty"),
        ("# nothing but a comment\n", "f is empty"),
        ("- a\n", "f must hold keys at the top, such as 'version: 1'"),
        ("hello", "f must hold keys at the top, such as 'version: 1'"),
        ("a: b: c", "f:1:5 unexpected ':'; quote the value, or check the indentation"),
        ("a: 1\n b: 2", "f:2:3 unexpected ':'; quote the value, or check the indentation"),
        ("a:\n\t- b", "f:2:1 a tab cannot be used for indentation; use spaces"),
        ("a: @b", "f:1:4 a value cannot start with @; put it in quotes"),
        ("a: [1, 2", "f:1:9 expected ',' or ']' in the list that begins on line 1"),
        ("a: {b: 1\nc: 2", "f:2:2 expected ',' or '}' in the mapping that begins on line 1"),
        ("a: {b: ${C}}", "f:1:9 put ${…} in quotes inside { } and [ ]"),
        ("a: [${C}]", "f:1:6 put ${…} in quotes inside { } and [ ]"),
        ("a: 'b\nc: d", "f:1:4 the quote that opens here is never closed"),
        ("a: 'it's'", "f:1:8 unexpected text; check the quotes and the indentation"),
        ("a: |\n b\nc\n", "f:3:1 expected ':' after this key"),
        ("a: 1\n- b", "f:2:1 unexpected list item; check the indentation"),
        ("- a\nb: c", "f:2:1 unexpected indentation, or a list and keys mixed on one level"),
        ("a: - b", "f:1:4 a list cannot start on the line of its key; move the '-' down"),
        ("a: 1\n---\nb: 2", "f:2:1 a second document starts here; one file holds one"),
        ("a: *.example.com", "f:1:5 a value cannot start with * or &; put it in quotes"),
        ("a: *b", "f:1:4 unknown alias *b; put a value that starts with * in quotes"),
        ("a: &x 1\nb: &x 2", "f:2:4 this anchor is already defined on line 1"),
        ("a: &x [*x]", "f:1:4 this anchor contains an alias of itself"),
        (r'a: "\q"', r"f:1:6 unknown escape \q; write \\q, or use single quotes"),
        ("a: 1\nb: c\x01", "f:2:5 the character U+0001 is not allowed"),
        (r'a: "\ud800"', "f:1:4 a: the text holds half a surrogate pair, which is no character"),
        ("a: !!python/object:os.system b", "f:1:4 a: unknown tag '!!python/object:os.system'"),
        ("a: !env {b: c}", "f:1:4 a: unknown tag '!env'"),
        ("a: !!int b", "f:1:4 a: cannot be read as a number: 'b'"),
        ("a: !!bool maybe", "f:1:4 a: cannot be read as true or false: 'maybe'"),
        ("a: 1e999", "f:1:4 a: the number is out of range"),
        ("a: 9007199254740993", "f:1:4 a: the number is out of range"),
        ("a:\n  <<: {b: 1}", "f:2:3 a: merge keys (<<) are not supported; write the keys out"),
        ("a: {{ b }}", "f:1:5 a: a key must be a word; quote a value that starts with '{' or '['"),
        ("a: " + "[" * 1000, "f:1:67 nested deeper than 64 levels"),
        (BOMB, "f has more than 100000 values"),
    ],
)
def test_a_syntax_error_is_one_located_line(text: str, expected: str):
    with pytest.raises(ConfigError) as raised:
        read(text, "f", {})
    assert str(raised.value) == expected


def test_duplicate_keys_are_all_reported_with_both_lines():
    text = "a: 1\nb: {c: 1, d: 2, c: 3}\na: 2\n'a': 3\n"
    with pytest.raises(ConfigError) as raised:
        read(text, "f", {})
    assert str(raised.value).split("\n") == [
        "f:2:17 b: duplicate key 'c' (first on line 2)",
        "f:3:1 duplicate key 'a' (first on line 1)",
        "f:4:1 duplicate key 'a' (first on line 1)",
    ]


@pytest.mark.parametrize(
    "written, value",
    [
        ("off", "off"),
        ("on", "on"),
        ("yes", "yes"),
        ("no", "no"),
        ("y", "y"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("1", 1),
        ("-7", -7),
        ("0123", 123),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("|\n  two\n  lines", "two\nlines"),
        ("[a, 1]", ("a", 1)),
        ("{no: on}", {"no": "on"}),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written: str, value: object):
    read_back = read(f"key: {written}", "f", {}).value
    assert read_back == {"key": value}
    assert type(read_back["key"]) is type(value)


def test_keys_are_always_text():
    assert read("1: a\ntrue: b\nno: c\n", "f", {}).value == {"1": "a", "true": "b", "no": "c"}


def test_anchors_share_values_and_positions_are_where_the_value_is_written():
    document = read("a: &shared\n  b: 1\nc: *shared\n", "f", {})
    assert document.value == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.values["c", "b"] == (2, 6)


def test_a_problem_is_at_the_value_the_key_or_the_nearest_parent():
    document = read("a:\n  - b: 1\n", "f", {})
    assert str(document.problem(("a", 0, "b"), "!")) == "f:2:8 a[0].b: !"
    assert str(document.problem(("a", 0, "b"), "!", key=True)) == "f:2:5 a[0].b: !"
    assert str(document.problem(("a", 0, "x", "y"), "!")) == "f:2:5 a[0].x.y: !"
    assert str(document.problem(("x",), "!")) == "f:1:1 x: !"
