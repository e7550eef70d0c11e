"""Texts as people really type them: cheap changes that keep the meaning, so labels stay right.

Every function takes a text and a generator and returns a text. None of them may be used on texts with labelled
spans, except those of ``KEEP_LENGTH``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Final, TypeAlias

__all__ = ["ANY", "DISGUISES", "KEEP_LENGTH", "Change", "change_case", "frame", "shorten", "typos"]

Change: TypeAlias = Callable[[str, Random], str]

_TYPO_RATE = 0.03
_LONG_ENOUGH = 40
_NEIGHBOURS = {"a": "s", "e": "r", "i": "o", "o": "p", "s": "a", "t": "r", "n": "m", "r": "t", "l": "k", "c": "v"}
_LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"}
_FRAMES = (
    "hi, {}",
    "Hey! {}",
    "please help: {}",
    "{} thanks!",
    "{} Answer briefly.",
    "{}\n\nExplain step by step.",
    "quick question - {}",
    "Can you help me with this? {}",
    "我想问一下:{}",
    "{} 请用中文回答。",
    "你好,{}",
    "帮我看看这个:{}",
    "{} 谢谢",
    "Hola, {}",
    "Bonjour, {} Merci !",
    "{} (bitte auf Deutsch)",
    "Здравствуйте! {}",
    "質問です。{}",
    "안녕하세요, {}",
    "{} Responda em português.",
)
_SENTENCE_END = re.compile(r"[.!?]\s+|[。!?]")


def change_case(text: str, random: Random) -> str:
    """Lower case mostly, sometimes capitals, where that leaves every character in its place."""
    changed = text.upper() if random.random() < 0.2 else text.lower()
    return changed if len(changed) == len(text) else text


def typos(text: str, random: Random) -> str:
    """Drop, double, swap or replace a few letters."""
    letters = list(text)
    for index in range(len(letters) - 1):
        if letters[index].isascii() and letters[index].isalpha() and random.random() < _TYPO_RATE:
            _mistype(letters, index, random)
    return "".join(letters)


def frame(text: str, random: Random) -> str:
    """Put a greeting or a wish around the text, in one of many languages."""
    return random.choice(_FRAMES).format(text)


def shorten(text: str, random: Random) -> str:
    """Keep only the end of a long text, from the start of a sentence: questions stand last."""
    starts = [0, *(end.end() for end in _SENTENCE_END.finditer(text) if end.end() < len(text) - _LONG_ENOUGH)]
    return text[random.choice(starts) :]


def spell_out(text: str, random: Random) -> str:
    """Set a sign between the letters of every word."""
    sign = random.choice((" ", ".", "-", "_"))
    return (sign * 3 if sign == " " else " ").join(sign.join(word) for word in text.split())


def alternate_case(text: str, random: Random) -> str:
    """LiKe tHiS."""
    odd = random.randrange(2)
    return "".join(letter.upper() if index % 2 == odd else letter.lower() for index, letter in enumerate(text))


def leet(text: str, random: Random) -> str:
    """Replace vowels and a few more letters by digits that look like them."""
    return "".join(_LEET.get(letter.lower(), letter) if random.random() < 0.7 else letter for letter in text)


KEEP_LENGTH: Final[tuple[Change, ...]] = (change_case,)
ANY: Final[tuple[Change, ...]] = (change_case, typos, frame, frame)
"""For any text; framing twice, as it is what happens most. An attack may lie in the part that :func:`shorten` drops."""

DISGUISES: Final[tuple[Change, ...]] = (spell_out, alternate_case, leet)
"""How attacks hide from a reader of words. Harmless texts are disguised as often, for a disguise is no attack."""


def _mistype(letters: list[str], index: int, random: Random) -> None:
    letter = letters[index]
    match random.randrange(4):
        case 0:
            letters[index] = ""
        case 1:
            letters[index] = letter * 2
        case 2:
            letters[index], letters[index + 1] = letters[index + 1], letter
        case _:
            letters[index] = _NEIGHBOURS.get(letter, letter)
