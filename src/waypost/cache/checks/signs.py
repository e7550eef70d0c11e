"""Whether what is no word differs: signs, powers, brackets, single letters, options, and capitals that tell a unit.

Words and numbers are read in compatibility form, in which ``2³`` is 23 and ``-5`` is 5; this check reads what was
written. It takes from each question, in order, what may belong to a formula, to code or to a unit, and wants the same:

- every sign (Unicode's S: ``+ = < | ^ ~ ∀ ₹ ♯`` and emoji) and every raised or circled figure and fraction (No);
- a minus before a number or between two terms, ``-5`` as ``minus 5`` and ``零下5``; ``!`` after a number or a letter;
  ``&&``; every backslash; ``/`` beside a number or a single letter; a mark that stands alone (``the operator %``);
- square and curly brackets; round ones where the text has one of those signs, names an operation, or has one that
  follows a word at once (``f(x)``);
- single letters with their case (``A implies B``), options of commands (``-l``, ``-xZf``), and where numbers stand
  between all these;
- short words in mixed case against the same in other capitals (``mW``, ``MW``). Beside a number, that is for
  ``numbers``.

Prose is let off where no answer hangs on it: ``I`` and ``a``, and what is a word by itself in another language; ``!``
after a word; brackets around words where nothing is calculated; ``file(s)``; bullets; ``&`` and ``/`` between words;
``©`` and ``™``; lowered figures after a letter (``H₂O``); the case of ``vitamin c`` and its like; ``:-)``; a smile
after thanks. Other emoji count, for ``What does this mean? 😀`` asks about it. Quotation marks and addresses are for
``quoted``, currencies beside a number for ``numbers``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import regex

from waypost.cache.checks.capitals import mixed
from waypost.cache.checks.letters import is_word, spelt, words_of
from waypost.cache.reading import Reading

__all__ = ["signs"]

_LATIN: Final = "[A-Za-z]"
_TERM: Final = rf"(?:[\d)\]]|(?<![\p{{L}}\p{{N}}]){_LATIN})"
"""Ends here: a number, a bracket or a single letter."""
_NAMING: Final = r"(?i:\b(?:does|do|symbol|sign|operator|character|the|mean|using|use))"
"""Words after which a mark stands for itself."""
_TERM_FOLLOWS: Final = rf"(?:[\d(\[]|{_LATIN}(?![\p{{L}}\p{{N}}]))"

_MARK: Final = regex.compile(
    rf"""
    (?P<skip>
        \w+://\S+                                                               # an address
      | ^[ \t]*[-–—*+>•▪■►▶]+[ \t]+(?=\p{{L}}[\p{{L}}'’])                       # a bullet
      | (?<=\p{{L}}\p{{L}})\((?:e?s|e?n|innen)\)                                # file(s)
      | (?<![^\s.?!])[:;=]['’]?-?[()DP](?!\S)                                   # :-)
      | °\s?[CFcf]\b | [℃℉©®™`´]
      | (?<=\p{{L}})[₀-₉]+
      | (?<![\p{{L}}\p{{N}}])(?:[CcFf]\#|[Cc]\+\+)(?![\w+])                     # words, by their tokens
      | \p{{Sc}}(?=\s?\d) | (?<=\d\s?)\p{{Sc}}
      | (?:(?<=[.?!。？！\n]\s{{0,3}})|\A)(?i:many\ thanks|thanks|thank\ you|thx|please|谢谢|多谢|拜托)
        [\s!.,！。，~]*[\p{{So}}\p{{Sk}}\u200d\ufe0f]+\s*\Z
    )
  | (?P<minus>
        (?<![[\p{{L}}--\p{{Han}}]\p{{N}}_)\]])[-−–](?=\.?\d)
      | (?<={_TERM}\s?)[-−–](?=\s?{_TERM_FOLLOWS})
      | (?<=\d[eE])-(?=\d)
      | (?<=(?:(?<![\p{{L}}\p{{N}}]){_LATIN}|\d))[-−]{{1,2}}(?![-−\p{{L}}\p{{N}}])
      | (?:(?i:\b(?:minus|negative)\s)|零下|负)(?=\s?\d)
    )
  | (?P<option>(?<![^\s"'“‘(\[|])--?{_LATIN}[\w-]*)
  | (?P<run>
        [-!?:.*%@\#&/]{{1,3}}(?=[<=>|^~])
      | (?<=[<=>|^~$])[-*%@\#&/?!:]{{1,3}}(?=[^\s?!.,;:'"”’)])
      | (?<=\$)[?!@\#*]
      | (?<=\d)\s?[/:]\s?(?=\d)
      | (?<=\S?[\d)\]]|(?<![\p{{L}}\p{{N}}'’])[b-zA-HJ-Z])!+ | (?<!\w)!+(?=[\w(])
      | &{{2,}} | (?<=(?<![\p{{L}}\p{{N}}]){_LATIN}\s?)& | &(?=\s?{_LATIN}(?![\p{{L}}\p{{N}}])) | (?<!\S)&(?=\w)
      | /{{2,}} | (?<={_TERM}\s?)/ | /(?=\s?{_TERM_FOLLOWS})
      | (?<!\S)(?:[@\#%*_]+|[:?]-)(?!\S) | (?<!\S)[;?!]+(?=\s\p{{Ll}}) | (?<={_NAMING}\s)[/:,.](?=\s)
      | (?<!\w)(?:@(?=\w)|\#(?=\p{{Ll}})) | :{{2,}} | (?<=\d)(?:\.{{2,}}(?=\d)|["'’]+)
      | (?<=(?<![\p{{L}}\p{{N}}'’"“‘]){_LATIN})['’]+(?!\p{{L}}) | [′″]
      | [\\*\[\]{{}}]
    )
  | (?P<sign>[\p{{S}}\p{{No}}])
  | (?P<attached>(?<=[[\p{{L}}\p{{N}}]--\p{{Han}}])\()
  | (?P<round>[()])
  | (?P<number>\d+(?:[.,]\d+)*(?:\s?[mgtlshdwykCF](?![\p{{L}}\p{{N}}]))?)
  | (?P<letter>
        (?<![\p{{L}}\p{{M}}\p{{Nd}}_'’]|\p{{L}}[.&]|[\p{{L}}\p{{Nd}}]{{2}}-|[₀-₉])[\p{{Latin}}\p{{Greek}}\p{{Cyrillic}}]
        (?![\p{{L}}\p{{M}}\p{{Nd}}_₀-₉]|['’](?!s\b)\p{{L}}|[.&]\p{{L}}|-[\p{{L}}\p{{Nd}}]{{2}})
    )
  | (?P<word>[A-Za-z]{{2,}})                                                     # nothing begins within one
    """,
    regex.VERBOSE | regex.V1 | regex.MULTILINE,
)
_NUMBER: Final = "0"
"""Stands for any number; which one it is, ``numbers`` compares."""
_AS: Final = {"minus": "-", "number": _NUMBER}
_LEFT_OUT: Final = frozenset({"skip", "word"})
_CALCULATES: Final = frozenset({"minus", "run", "sign", "attached"})
_OPERATION: Final = regex.compile(r"(?i:\b(?:plus|minus|times|divided|squared|cubed|modulo)\b)|[加减乘除]")
_SPACE: Final = regex.compile(r"\s+")
_PROSE: Final = regex.compile(r"(?:[A-Za-z]{2,}|I(?=\s)|a(?=\s[a-z]{2})|[\s.?,'])*+")
"""English words and the marks of a plain sentence, in which there is nothing to look for."""


def signs(a: Reading, b: Reading) -> bool:
    """Signs, brackets, single letters or options are not the same, or do not stand in the same order."""
    return a.written != b.written and (_marks(a) != _marks(b) or _other_capitals(a.written, b.written))


@lru_cache(maxsize=64)  # one question is compared with several
def _marks(reading: Reading) -> tuple[str, ...]:
    """List what counts. Numbers are there for their places only: alone they are nothing."""
    if _PROSE.fullmatch(reading.written):
        return ()
    found = list(_found(reading))
    calculates = any(kind in _CALCULATES for kind, _ in found) or bool(_OPERATION.search(reading.written))
    kept = tuple(mark for kind, mark in found if calculates or kind != "round")
    return () if set(kept) == {_NUMBER} else kept


def _found(reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield each mark with the name of its group."""
    text = _folded(reading.written)
    matches = [match for match in _MARK.finditer(text) if match.lastgroup not in _LEFT_OUT]
    words = words_of(reading) if any(match.lastgroup == "letter" for match in matches) else ""
    for match in matches:
        kind = match.lastgroup or ""
        if kind == "letter":
            if not is_word(text, match.start(), words):
                yield kind, spelt(text, match.start())
        elif kind in _AS:
            yield kind, _AS[kind]
        elif kind == "option":
            yield kind, match[0]
        else:
            yield from ((kind, mark) for mark in _SPACE.sub("", match[0]).replace("−", "-"))


def _other_capitals(a: str, b: str) -> bool:
    """``mW`` in one, ``MW`` in the other. All in small letters may be either, and so differs from none."""
    left, right = mixed(a), mixed(b)
    shared = left.keys() & right.keys()
    return any(left[word] != right[word] for word in shared)


def _folded(text: str) -> str:
    """Write wide and styled characters (``＋``, ``（``, ``𝑥``) as usual; raised and lowered ones stay what they are."""
    if text.isascii():
        return text
    return "".join(map(_usual, text))


@lru_cache(maxsize=1 << 12)
def _usual(character: str) -> str:
    kind, _, _ = unicodedata.decomposition(character).partition(" ")
    return unicodedata.normalize("NFKC", character) if kind in ("<wide>", "<font>") else character
