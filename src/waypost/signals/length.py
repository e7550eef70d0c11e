"""The length of the whole conversation in tokens, estimated from its characters without a tokenizer.

Every tokenizer counts differently, so the estimate is a rule of thumb made exact: a weight a character by script, one
for each run of whitespace, and ``MESSAGE_TOKENS`` a message for the chat template. The weights were fitted (least
squares on the relative error, rounded to 0.05) to the 250,002-piece SentencePiece vocabulary of XLM-R on 8,734 prompts,
UI sentences, programs and JSON schemas. On 7,599 others the mean error of a text is 11 % (English 9, Chinese 11, code
and mathematics 7, JSON 9, other languages 11 to 21) and 95 % of them are within 28 %; characters / 4 has 27 % and 66 %
for Chinese. Sums over many texts are within 10 %.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from waypost.config import schema
from waypost.types import Message, Request, SignalResult

__all__ = ["MESSAGE_TOKENS", "LengthSignal", "estimate_tokens"]

MESSAGE_TOKENS: Final = 4
"""What a chat template writes around a message: role, start and end (OpenAI's own count is 3 and the role)."""

_GAP: Final = 0.55
"""A run of whitespace: most words cost half a token more than their letters."""

_PUNCTUATION: Final = 1.2
_DIGIT: Final = 0.4
_LETTER: Final = 0.15
"""The weights of ASCII."""

_RANGES: Final = (
    (0x0300, 0.4),  # accented Latin
    (0x0590, 0.2),  # Greek, Cyrillic, Armenian
    (0x0900, 0.2),  # Hebrew, Arabic
    (0x0E00, 0.2),  # scripts of India
    (0x1100, 0.25),  # Thai, Lao, Tibetan, Burmese, Georgian
    (0x1200, 0.45),  # Hangul letters
    (0x2000, 0.5),  # rarer scripts
    (0x2E80, 0.75),  # symbols, arrows, mathematical operators
    (0x3040, 0.85),  # Chinese and Japanese punctuation
    (0x3100, 0.4),  # kana
    (0xAC00, 0.75),  # Han
    (0xD7B0, 0.45),  # Hangul
    (0xF900, 0.5),  # rarer scripts
    (0xFB00, 0.75),  # Han, compatibility forms
    (0xFF00, 0.5),  # rarer scripts
    (0xFFF0, 0.85),  # full-width forms
    (0x10000, 1.0),  # everything above the basic plane, emoji for the most part
)
"""Upper end of a range of code points (exclusive) and the weight of a character in it."""

_PIECE: Final = 1 << 16
"""Characters that are counted at once: 1 MB of memory, and 0.6 ms in which a thread keeps the GIL."""

_INLINE: Final = 200_000
"""Longer conversations are counted in a thread."""


class LengthSignal:
    """True for each rule whose ``[min_tokens, max_tokens]`` holds the estimate. Scores are the estimate itself."""

    kind = "length"
    cost = 30e-6

    def __init__(self, rules: Sequence[schema.LengthSignal]) -> None:
        self._rules = {
            rule.name: (rule.min_tokens, math.inf if rule.max_tokens is None else rule.max_tokens) for rule in rules
        }

    async def measure(self, request: Request) -> SignalResult:
        """Estimate the tokens of all messages; 10 ms for a million characters."""
        if sum(len(message.text) for message in request.messages) > _INLINE:
            tokens = await asyncio.to_thread(estimate_tokens, request.messages)
        else:
            tokens = estimate_tokens(request.messages)
        matched = frozenset(name for name, (least, most) in self._rules.items() if least <= tokens <= most)
        return SignalResult(self.kind, matched, dict.fromkeys(self._rules, float(tokens)))


def estimate_tokens(messages: Iterable[Message]) -> int:
    """Return the estimated tokens of a conversation, rounded up."""
    return math.ceil(sum(MESSAGE_TOKENS + _tokens(message.text) for message in messages))


def _tokens(text: str) -> float:
    return sum(_tokens_of_piece(text[start : start + _PIECE]) for start in range(0, len(text), _PIECE))


def _tokens_of_piece(text: str) -> float:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    space = codes <= 0x20
    gaps = np.count_nonzero(space[1:] > space[:-1]) + space[0]
    return float(_weights()[np.minimum(codes, 0xFFFF)].sum(dtype=np.float64) + _GAP * gaps)


@cache
def _weights() -> NDArray[np.float32]:
    """Build the weight of each code point of the basic plane; U+FFFF, no character, stands for all above it."""
    weights = np.empty(0x10000, np.float32)
    start = 0x80
    for end, weight in _RANGES:
        weights[start:end] = weight
        start = end
    weights[:0x80] = [_ascii_weight(chr(code)) for code in range(0x80)]
    return weights


def _ascii_weight(character: str) -> float:
    if character <= " ":
        return 0.0
    if character.isalpha():
        return _LETTER
    return _DIGIT if character.isdigit() else _PUNCTUATION
