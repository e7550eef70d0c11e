import pytest

from waypost.config.document import read
from waypost.config.environment import escape, fill
from waypost.errors import ConfigError

ENVIRON = {"HOST": "vllm", "PORT": "8000", "EMPTY": "", "NESTED": "${HOST}", "YES": "true", "COLON": "a: [b"}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("${HOST}", "vllm"),
        ("http://${HOST}:${PORT}/v1", "http://vllm:8000/v1"),
        ("${HOST:-other}", "vllm"),
        ("${ABSENT:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY}", ""),
        ("${ABSENT:-}", ""),
        ("${NESTED}", "${HOST}"),
        ("$${HOST}", "${HOST}"),
        ("$$${HOST}", "$${HOST}"),
        ("$HOST costs 5$", "$HOST costs 5$"),
    ],
)
def test_references_are_replaced_once(text: str, expected: str):
    filled = fill(text, ENVIRON)
    assert (filled.text, filled.mistakes) == (expected, ())


@pytest.mark.parametrize(
    "text, mistakes",
    [
        ("${ABSENT}", ["environment variable 'ABSENT' is not set; set it, or give a default: ${ABSENT:-…}"]),
        ("${HOTS}", ["environment variable 'HOTS' is not set (did you mean 'HOST'?)"]),
        ("${}", ["'${' begins no variable; write ${NAME}, ${NAME:-default}, or $${ for a literal '${'"]),
        ("${A-B}", ["'${' begins no variable; write ${NAME}, ${NAME:-default}, or $${ for a literal '${'"]),
    ],
)
def test_a_reference_that_cannot_be_replaced_is_a_mistake(text: str, mistakes: list[str]):
    assert list(fill(text, ENVIRON).mistakes) == mistakes


@pytest.mark.parametrize("text", ["${HOST}", "$${HOST}", "a ${ b", "$", "${${", "plain"])
def test_escaped_text_comes_back(text: str):
    assert fill(escape(text), {}).text == text


def test_the_mistake_is_located_and_all_are_reported():
    with pytest.raises(ConfigError) as raised:
        read("a: ${ABSENT_ONE}\nb:\n  - x${ABSENT_TWO:-}\n  - ${HOTS}\n", "f", ENVIRON)
    assert str(raised.value).split("\n") == [
        "f:1:4 a: environment variable 'ABSENT_ONE' is not set; set it, or give a default: ${ABSENT_ONE:-…}",
        "f:4:5 b[1]: environment variable 'HOTS' is not set (did you mean 'HOST'?)",
    ]


def test_keys_are_never_replaced():
    assert read("${HOST}: 1", "f", ENVIRON).value == {"${HOST}": 1}


def test_a_value_cannot_change_the_structure_and_is_remembered():
    document = read("a: ${COLON}\nb: plain\nc: $${PORT}\n", "f", ENVIRON)
    assert document.value == {"a": "a: [b", "b": "plain", "c": "${PORT}"}
    assert document.templates == {("a",): "${COLON}"}


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_value_becomes_what_its_place_holds_in_quotes_or_not(quote: str):
    text = "".join(f"{key}: {quote}${{{name}}}{quote}\n" for key, name in (("n", "PORT"), ("b", "YES"), ("t", "PORT")))
    document = read(text, "f", ENVIRON, is_text=lambda place: place == ("t",))
    assert document.value == {"n": 8000, "b": True, "t": "8000"}
