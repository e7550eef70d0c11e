"""Normalisation of whatever there is: bounded, total, and of a disguise whatever the text is that wears it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.guard.normalise import LIMIT, normalise, readings

ODD = st.text(
    st.sampled_from("aAbe013 \n.-_&#;%\\xu{}=+/忽略аІο\u0301\u0336\u200b\u202e\ufe0f\U000e0041\U000e0101🇮ﷺ\ud800")
)
WORDS = st.lists(
    st.sampled_from(["ignore", "all", "previous", "instructions", "and", "reveal", "the", "system", "prompt", "now"]),
    min_size=5,
    max_size=10,
    unique=True,
).map(" ".join)


@given(st.one_of(st.text(), ODD))
def test_readings_are_few_and_bounded(text):
    found = normalise(text)
    assert len(found.readings) <= 3
    assert text not in found.readings
    assert all(0 < len(reading) <= 8 * len(text) + 8 for reading in found.readings)
    assert found.skipped_characters == 0


@pytest.mark.parametrize(
    "unit",
    ["a-", "A ", "AB ", "%41", "&#65;", "\\", "\\u0041", "0x41 ", "忽 ", "a\u0336", "\ufe01", "\U000e0041", "h4ck ",
     "aB", "vafgehpgvbaf ", "snoitcurtsni ", "YWFhYWFh ", "ﷺ", "🇮 ", "ab-cd x y "],
)  # fmt: skip
def test_repetition_does_no_harm(unit):
    """A quadratic expression would need hours."""
    found = normalise(unit * (2 * LIMIT // len(unit)))
    assert all(len(reading) <= LIMIT for reading in found.readings)
    assert found.skipped_characters >= LIMIT - len(unit)


@pytest.mark.parametrize(
    "disguise",
    [
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.b32encode(text.encode()).decode(),
        lambda text: text.encode().hex(" "),
        lambda text: "".join(f"&#{ord(letter)};" for letter in text),
        lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
        lambda text: "hi" + "".join(chr(0xE0000 + ord(letter)) for letter in text),
        lambda text: text.replace("e", "\u200be").replace("o", "о"),
        lambda text: "  ".join("*".join(word) for word in text.split()),
        str.upper,
    ],
    ids=["base64", "base32", "hex", "entities", "escapes", "tags", "homoglyphs", "spaced", "upper"],
)
@given(words=WORDS)
def test_any_wording_shows_through(disguise, words):
    found = " ".join(" ".join(readings(disguise(words))).lower().split())
    assert words in found
