"""The dashboard's words: the same in every language, and exactly those that the pages use."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import waypost

WEB = Path(waypost.__file__).with_name("web")
WORDS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((WEB / "i18n").glob("*.json"))}
SCRIPTS = "\n".join(path.read_text("utf-8") for path in sorted((WEB / "js").rglob("*.js")))


def gaps(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_there_are_two_languages():
    assert WORDS.keys() == {"en", "zh"}


@pytest.mark.parametrize("language", WORDS)
def test_every_language_has_the_same_words_in_the_same_order(language):
    assert list(WORDS[language]) == list(WORDS["en"])
    assert {key: gaps(text) for key, text in WORDS[language].items()} == {
        key: gaps(text) for key, text in WORDS["en"].items()
    }
    assert all(text.strip() for text in WORDS[language].values())


def test_what_the_scripts_ask_for_is_there():
    literal = set(re.findall(r"""["'`]([a-z_]+(?:\.[a-z_0-9]+)+)["'`]""", SCRIPTS))
    sections = {key.partition(".")[0] for key in WORDS["en"]}
    asked = {key for key in literal if key.partition(".")[0] in sections and not key.endswith((".js", ".json"))}
    assert asked - WORDS["en"].keys() == set()


def test_no_word_is_left_over():
    computed = re.findall(r"`([a-z]+)\.\$\{\w+(?:\.\w+)?\}(\.\w+)?`", SCRIPTS)
    unused = [
        key
        for key in WORDS["en"]
        if f'"{key}"' not in SCRIPTS
        and not any(re.fullmatch(rf"{start}\.\w+{re.escape(end)}", key) for start, end in computed)
        and not re.fullmatch(r"live\.models\.\w+", key)
    ]
    assert unused == []


def test_nothing_is_loaded_from_elsewhere():
    for path in WEB.rglob("*"):
        if path.suffix in {".html", ".css", ".js"}:
            found = re.findall(
                r"""(?:src=|href=|url\(|import |from |fetch\()\s*["']?(\w+:)?//""", path.read_text("utf-8")
            )
            assert not found, path
