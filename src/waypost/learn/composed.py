"""Rows composed from this package's own sentences: topics in questions, values in contexts, attacks and doubles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from random import Random
from typing import Any

import yaml

from waypost.learn.bio import Span
from waypost.learn.rows import Row

__all__ = ["attack_rows", "everyday_rows", "fill", "own_data", "personal_rows", "plain_rows", "topic_rows", "values_of"]

Values = Mapping[str, Sequence[str]]

_PLACE = re.compile(r"\{([A-Z_]+)\}")
_FRAMES_PER_TOPIC = 3
_PEOPLE, _HOUSES = 400, 200
_TAKES_PER_CONTEXT = 25


def everyday_rows() -> Iterator[Row]:
    """Short everyday prompts with their domains."""
    for label, texts in own_data("everyday").items():
        for text in texts:
            yield Row(text, "everyday", label, "benign", indirect=False, weight=3.0)


def topic_rows(random: Random) -> Iterator[Row]:
    """Topics of every domain as people ask about them in ten languages."""
    own = own_data("topics")
    for label, texts in own["prompts"].items():
        for text in texts:
            yield Row(text, "own-topics", label, "benign", indirect=False, spans=(), weight=2.0)
    for label, languages in own["topics"].items():
        for language, topics in languages.items():
            frames: list[str] = own["frames"][language]
            for topic in topics:
                for frame in random.sample(frames, min(_FRAMES_PER_TOPIC, len(frames))):
                    yield Row(frame.format(topic), "own-topics", label, "benign", indirect=False, spans=(), weight=1.5)


def attack_rows() -> Iterator[Row]:
    """Attacks, harmful requests and harmless doubles in eleven languages."""
    for label, languages in own_data("attacks").items():
        for texts in languages.values():
            for text in texts:
                yield Row(text, "own-attacks", attack=label, weight=2.0)


def plain_rows() -> Iterator[Row]:
    """Code, formulas and numbers that are nobody's data."""
    for text in own_data("personal")["plain"]:
        yield Row(text, "own-plain", attack="benign", indirect=False, spans=(), weight=2.0)


def personal_rows(values: Values, random: Random) -> Iterator[Row]:
    """Own contexts, filled with ``values`` by type; Chinese ones mostly with Chinese names and places."""
    own = own_data("personal")
    chinese = {**values, **_chinese(own["values"], random)}
    for language, contexts in own["contexts"].items():
        known = chinese if language == "zh" else values
        for context in contexts:
            for _ in range(_TAKES_PER_CONTEXT):
                text, spans = fill(context, known, random)
                yield Row(text, "own-personal", attack="benign", indirect=False, spans=spans)


def fill(context: str, values: Values, random: Random) -> tuple[str, tuple[Span, ...]]:
    """Replace every ``{TYPE}`` of ``context`` and say where the values lie."""
    text, spans, last = "", [], 0
    for place in _PLACE.finditer(context):
        text += context[last : place.start()]
        value = random.choice(values[place[1]])
        spans.append((len(text), len(text) + len(value), place[1]))
        text, last = text + value, place.end()
    return text + context[last:], tuple(spans)


def values_of(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Collect the values that are marked in ``rows``, by type."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        for start, end, kind in row.spans or ():
            found[kind].append(row.text[start:end])
    return found


def _chinese(own: Mapping[str, Sequence[str]], random: Random) -> dict[str, Sequence[str]]:
    def choose(name: str) -> str:
        return random.choice(own[name])

    people = [choose("surname") + choose("given") for _ in range(_PEOPLE)]
    houses = [f"{choose('GPE')}{choose('street')}{random.randint(1, 999)}号" for _ in range(_HOUSES)]
    houses += [f"{house}{random.randint(1, 30)}栋{random.randint(101, 2505)}室" for house in houses]
    phones = [_chinese_phone(random) for _ in range(_PEOPLE)]
    zips = [f"{random.randrange(100000, 860000)}" for _ in range(_PEOPLE)]
    made = {"PERSON": people, "STREET_ADDRESS": houses, "PHONE_NUMBER": phones, "ZIP_CODE": zips}
    return made | {name: own[name] for name in ("GPE", "ORGANIZATION", "TITLE", "NRP", "DATE_TIME")}


def _chinese_phone(random: Random) -> str:
    """Write a mobile number or a land line in one of the usual ways."""
    mobile = f"1{random.choice('3578')}{random.randrange(10**9):09}"
    land = f"{random.choice(('010', '021', '0755', '0571', '028'))}-{random.randrange(2 * 10**7, 9 * 10**7)}"
    spaced = f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}"
    return random.choice((mobile, mobile, mobile, spaced, spaced.replace(" ", "-"), f"+86 {mobile}", land))


def own_data(name: str) -> dict[str, Any]:
    """Read one of this package's own files of sentences."""
    loaded: dict[str, Any] = yaml.safe_load(files("waypost.learn").joinpath(f"data/{name}.yaml").read_text("utf-8"))
    return loaded
