"""Whether the numbers of two questions differ, or the units that stand with them."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import regex

from waypost.cache.checks.capitals import capitals
from waypost.cache.reading import Reading
from waypost.cache.words import lines

__all__ = ["numbers", "values"]


_NUMBER: Final = regex.compile(
    r"(?P<before>\p{Sc}|百分之)?\s?(?<![\d.])(?P<value>\d+(?:[.,]\d+)*)"
    r"(?:\s?-?(?P<after>%|\p{Sc}|°\s?[cf]|\p{Han}{1,3}|[[\p{L}]--\p{Han}]+))?"
    r"|(?P<share>百分之)?(?P<han>[零〇二两三四五六七八九十百千万亿]+|一[百千万亿十][零〇一二两三四五六七八九十百千万亿]*)"
    r"(?P<measure>\p{Han}{0,2})",
    regex.V1 | regex.IGNORECASE,
)
_SHARE: Final = "%"
_DIGITS: Final = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALES: Final = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_NO_NUMBERS: Final = regex.compile(
    r"like i'm (?:five|5)|千万(?![元个人])|万一|百度|十分(?!钟)|三明治|千万别|"
    r"百分之(?![\d零〇一二两三四五六七八九十百])|七夕|四川|三亚|百合|八卦|五金",
    regex.IGNORECASE,
)


def numbers(a: Reading, b: Reading) -> bool:
    """One question has a number that the other lacks, or the same number of another unit."""
    left, right = list(_quantities(a)), list(_quantities(b))
    if _counted(left) != _counted(right):
        return True
    return _apart(_units(left), _units(right)) or _apart(capitals(a.text), capitals(b.text))


def _counted(quantities: list[tuple[str, str]]) -> Counter[str]:
    """Count numbers. A share is not the number itself: 5 of 200, 5 % of 200."""
    return Counter(f"{value}{_SHARE}" if unit == _SHARE else value for value, unit in quantities)


def _apart(left: Mapping[str, set[str]], right: Mapping[str, set[str]]) -> bool:
    """What both name has nothing else beside it."""
    return any(left[name] != right[name] for name in left.keys() & right.keys())


def values(reading: Reading) -> tuple[str, ...]:
    """List all numbers in order, each in one spelling."""
    return tuple(value for value, _ in _quantities(reading))


def _units(quantities: list[tuple[str, str]]) -> dict[str, set[str]]:
    """Collect the known units of each number; a number without one is as good as any."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for value, unit in quantities:
        if unit:
            found[value].add(unit)
    return dict(found)


def _quantities(reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield every number with its unit; the unit is empty where it is none of ours."""
    spelt = _table("numerals")
    text = _NO_NUMBERS.sub(lambda match: " " * len(match[0]), reading.text)
    found = [(match.start(), *_quantity(match)) for match in _NUMBER.finditer(text)]
    for place, (token, begin) in enumerate(zip(reading.tokens, reading.begins, strict=True)):
        if token in spelt and text[begin] != " ":
            found.append((begin, spelt[token], _unit(*reading.tokens[place + 1 : place + 2])))
    yield from ((value, unit) for _, value, unit in sorted(found))


def _quantity(match: regex.Match[str]) -> tuple[str, str]:
    if match["value"]:
        return _plain(match["value"]), _unit(match["before"], match["after"])
    return _chinese(match["han"]), _unit(match["share"], match["measure"])


def _unit(*candidates: str | None) -> str:
    """Find the first known unit; Chinese runs on, so the longest beginning counts there."""
    units = _table("units")
    for candidate in ("".join(one.lower().split()) for one in candidates if one):
        for length in range(len(candidate), 0, -1):
            if candidate[:length] in units and (length == len(candidate) or not candidate.isascii()):
                return units[candidate[:length]]
        if unicodedata.category(candidate[0]) == "Sc":
            return candidate
    return ""


def _plain(digits: str) -> str:
    """``1,000`` and ``1000.0`` → ``1000``; ``3,5`` → ``3.5``."""
    whole = regex.sub(r",(?=\d{3}(?:\D|$))", "", digits).replace(",", ".")
    if whole.count(".") != 1:  # a version or an address
        return whole
    return whole.rstrip("0").rstrip(".")


def _chinese(numeral: str) -> str:
    """``二十五`` → ``25``, ``两千零一`` → ``2001``, ``二〇二四`` → ``2024``."""
    if not _SCALES.keys() & set(numeral):
        return "".join(str(_DIGITS[digit]) for digit in numeral)
    total = section = digit = 0
    for character in numeral:
        scale = _SCALES.get(character)
        if scale is None:
            digit = _DIGITS[character]
        elif scale < _SCALES["万"]:
            section += (digit or 1) * scale
            digit = 0
        else:
            total = (total + section + digit or 1) * scale
            section = digit = 0
    return str(total + section + digit)


@cache
def _table(name: str) -> Mapping[str, str]:
    return {word: meaning for meaning, words in lines(name) for word in words}
