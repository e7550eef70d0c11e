"""Composed system prompts and answers: instructions that an application gives, and that no guard may take for attacks.

A detector that has seen none of them takes every "You are …, never …" for an attempt to take a model over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final

from waypost.learn.composed import own_data
from waypost.learn.rows import Row

__all__ = ["answer", "instruction_rows", "system_prompt"]

_PROMPTS: Final = {"en": 1800, "zh": 900}
_ANSWERS: Final = {"en": 500, "zh": 250}
_ATTACKED: Final = 1800
"""System prompts with an attack beside them: that a text begins as an application's proves nothing."""
_SOURCE: Final = "own-instructions"

_Parts = Mapping[str, Sequence[str]]


def instruction_rows(attacks: Sequence[Row], random: Random) -> Iterator[Row]:
    """Compose prompts and answers in English and Chinese; ``attacks`` are rows that some prompts get at their end."""
    own: Mapping[str, _Parts] = own_data("instructions")
    for language, parts in own.items():
        for _ in range(_PROMPTS[language]):
            yield _row(system_prompt(parts, random), "benign")
        for _ in range(_ANSWERS[language]):
            yield _row(answer(parts, random), "benign")
    hostile = [row for row in attacks if row.attack == "jailbreak" and len(row.text) < 250]
    for row in random.sample(hostile, min(_ATTACKED, len(hostile))):
        parts = own["zh" if any("\u4e00" <= letter <= "\u9fff" for letter in row.text) else "en"]
        both = [system_prompt(parts, random), row.text]
        if random.random() < 0.3:
            both.reverse()
        yield _row(random.choice((" ", "\n", "\n\n")).join(both), "jailbreak", weight=2.0)


def system_prompt(parts: _Parts, random: Random) -> str:
    """Write what an application might put before a conversation: an opening, then tasks, limits, a form, facts."""
    body = [
        *random.sample(parts["tasks"], random.choice((0, 1, 1, 2))),
        *random.sample(parts["limits"], random.choice((0, 1, 1, 2, 4))),
        *random.sample(parts["formats"], random.choice((0, 0, 1, 2))),
        *random.sample(parts["facts"], random.choice((0, 0, 1))),
    ]
    if random.random() < 0.3:
        random.shuffle(body)
    opening = [random.choice(parts["openings"])] if random.random() < 0.85 or not body else []
    between = random.choice((" ", " ", "\n", "\n- ", "\n\n"))
    return _filled(between.join((*opening, *body)), parts, random)


def answer(parts: _Parts, random: Random) -> str:
    """Write what a model might have said earlier, now and then again and again."""
    said = " ".join(random.sample(parts["answers"], random.choice((1, 1, 2, 3))))
    times = random.randint(3, 8) if random.random() < 0.2 else 1
    return _filled(" ".join([said] * times), parts, random)


def _filled(text: str, parts: _Parts, random: Random) -> str:
    values = {
        "role": random.choice(parts["roles"]),
        "company": random.choice(parts["companies"]),
        "audience": random.choice(parts["audiences"]),
        "topic": random.choice(parts["topics"]),
        "name": random.choice(parts["names"]),
        "maker": random.choice(parts["makers"]),
        "language": random.choice(parts["languages"]),
        "number": str(random.choice((5, 20, 50, 100, 150, 200))),
        "date": f"20{random.randint(23, 27)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}",
    }
    return text.format(**values)


def _row(text: str, attack: str, weight: float = 1.0) -> Row:
    return Row(text, _SOURCE, attack=attack, indirect=False, weight=weight)
