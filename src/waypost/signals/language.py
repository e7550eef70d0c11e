"""The language of the user's text: the writing system first, then py3langid where several languages share one.

The text is split into words, and each script gets its share of them, so that "用Python写一个函数" is Chinese and
"Translate 紧急 into English" is not. A script that belongs to one language (Hangul, Thai, Greek, …) decides alone;
Han is Japanese where kana stands beside it, else Chinese. Only Latin, Cyrillic, Arabic and Devanagari need the model.

Code, formulas and addresses say nothing of a language: they are left out, and what remains may be no language at all.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

import regex

from waypost.types import Request, SignalResult

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

__all__ = ["LanguageSignal"]


def _codes(codes: str) -> frozenset[str]:
    return frozenset(codes.split())


_SHARED: Final[Mapping[str, frozenset[str]]] = {
    "Latin": _codes("ca cs da de en es et fi fr hr hu id it lt lv ms nl no pl pt ro sk sl sq sv sw tl tr vi"),
    "Cyrillic": _codes("bg kk mk ru sr uk"),
    "Arabic": _codes("ar fa ur"),
    "Devanagari": _codes("hi mr ne"),
}
"""Scripts of several languages, and those told apart here. Close relatives of a common language (Galician, Afrikaans,
Bosnian) are not among them: they would take its short prompts away."""

_OWN: Final[Mapping[str, str]] = {
    "Armenian": "hy",
    "Bengali": "bn",
    "Ethiopic": "am",
    "Georgian": "ka",
    "Greek": "el",
    "Gujarati": "gu",
    "Gurmukhi": "pa",
    "Hangul": "ko",
    "Hebrew": "he",
    "Kannada": "kn",
    "Malayalam": "ml",
    "Sinhala": "si",
    "Tamil": "ta",
    "Telugu": "te",
}
"""Spaced scripts of one language."""

_UNSPACED: Final[Mapping[str, tuple[str, float]]] = {
    "Han": ("zh", 1.5),
    "Kana": ("ja", 2.5),
    "Khmer": ("km", 4.0),
    "Lao": ("lo", 4.0),
    "Myanmar": ("my", 4.0),
    "Thai": ("th", 4.0),
}
"""Scripts without spaces: language, and the usual characters a word, which make their share one of words too."""

_SCAN: Final = 4_000
_READ: Final = 2_000
"""Characters that are searched for noise, and of what is left those that are read. More would change no answer."""

_SHARPNESS: Final = 1.5
"""Exponent on py3langid's probabilities, which are too timid for short prompts: of 81 it named 79 rightly, but 8 of
them with less than 0.5; sharpened, 1 of them, at the price of 1 wrong answer above 0.5."""

_LETTERS: Final = 4
"""Fewer letters of a shared script say nothing: ``ok``, ``ls``, ``km``."""

_NOISE: Final = regex.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`"  # Markdown code
    r"|(?<![!-~])(?:-[!-~]*+|[!-~]*?(?:[\d_@\\^|=<>{}\[$#]|[a-z][(./:][a-z])[!-~]*+)",  # -x, x1, f(x), os.path, a@b.c
    regex.DOTALL | regex.IGNORECASE | regex.V1,
)
"""What is not prose: code, and runs of ASCII that hold more than words. Runs are tried from their start only, which
keeps the time linear."""


def _pattern() -> regex.Pattern[str]:
    """One named group a script. A single letter of a spaced script is a variable, a unit or a bullet: no word."""
    spaced = (rf"(?P<{name}>\p{{{name}}}[\p{{{name}}}\p{{M}}'’-]+)" for name in (*_SHARED, *_OWN))
    kana = r"(?P<Kana>[\p{Hiragana}\p{Katakana}ー]+)"
    unspaced = (rf"(?P<{name}>\p{{{name}}}+)" for name in _UNSPACED if name != "Kana")
    return regex.compile("|".join((*spaced, kana, *unspaced)), regex.V1)


_WORD: Final = _pattern()


class LanguageSignal:
    """Names the language of ``user_text`` as an ISO 639-1 code (``waypost.signals.names.LANGUAGES``).

    The score is the share of the text's words in the language's script, times the model's probability where the
    script is shared; in [0, 1]. The best language matches if it reaches ``threshold``; text without words in any
    script matches none.
    """

    kind = "language"
    cost = 100e-6

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold

    def load(self) -> None:
        """Load the model (0.6 s, 80 MB) if nobody has. Without this the first text that needs it does, in a thread."""
        _identifier()

    async def measure(self, request: Request) -> SignalResult:
        """Name the language of ``user_text``."""
        words = _words(request.user_text)
        if not _identifier.cache_info().currsize and not words.keys().isdisjoint(_SHARED):
            await asyncio.to_thread(self.load)
        scores = self._scores(words)
        best = max(scores, key=scores.__getitem__, default=None)
        matched = frozenset((best,)) if best and scores[best] >= self._threshold else frozenset[str]()
        return SignalResult(self.kind, matched, scores, self._threshold)

    def _scores(self, words: Mapping[str, list[str]]) -> dict[str, float]:
        shares = _shares(words)
        scores: dict[str, float] = {}
        for script, share in shares.items():
            if script in _SHARED:
                for code, probability in self._classify(script, " ".join(words[script])).items():
                    scores[code] = share * probability
            else:
                scores[_OWN.get(script) or _UNSPACED[script][0]] = share
        return scores

    def _classify(self, script: str, text: str) -> dict[str, float]:
        """Probabilities of the languages that are written in ``script``."""
        candidates = _SHARED[script]
        weights = {code: p**_SHARPNESS for code, p in _identifier().rank(text) if code in candidates}
        total = sum(weights.values())
        return {code: weight / total for code, weight in weights.items()}


@cache
def _identifier() -> LanguageIdentifier:
    """Load the model once: a reload and a configuration on trial read with the same."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(sorted(frozenset[str]().union(*_SHARED.values())))
    return model


def _words(text: str) -> dict[str, list[str]]:
    """Sort the words by script."""
    found: dict[str, list[str]] = defaultdict(list)
    for match in _WORD.finditer(_NOISE.sub(" ", text[:_SCAN])[:_READ]):
        found[match.lastgroup or ""].append(match[0])
    return {script: words for script, words in found.items() if script not in _SHARED or _letters(words) >= _LETTERS}


def _letters(words: Iterable[str]) -> int:
    return sum(map(len, words))


def _shares(words: Mapping[str, list[str]]) -> dict[str, float]:
    """Return the share of each script in the words. Han beside kana counts as Japanese."""
    counts = {
        script: _letters(found) / _UNSPACED[script][1] if script in _UNSPACED else float(len(found))
        for script, found in words.items()
    }
    if "Kana" in counts:
        counts["Kana"] += counts.pop("Han", 0.0)
    total = sum(counts.values())
    return {script: count / total for script, count in counts.items()}
