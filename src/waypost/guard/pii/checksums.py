"""Checks of numbers, on strings that were stripped of separators."""

from __future__ import annotations

from datetime import date
from typing import Final

__all__ = ["is_date", "luhn", "mod97", "ric"]

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: bank cards."""
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])) % 10 == 0


def mod97(code: str) -> bool:
    """ISO 7064 MOD 97-10 with the first four characters moved to the end: IBANs."""
    return int("".join(str(int(character, 36)) for character in code[4:] + code[:4])) % 97 == 1


def ric(code: str) -> bool:
    """GB 11643-1999: the 18 characters of a Chinese resident identity number (ISO 7064 MOD 11-2)."""
    values = [10 if character in "xX" else int(character) for character in code]
    return sum(value * pow(2, 17 - place, 11) for place, value in enumerate(values)) % 11 == 1


def is_date(year: int, month: int, day: int) -> bool:
    """Whether the calendar has this day and it is neither before 1880 nor after 2099."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return 1880 <= year <= 2099
