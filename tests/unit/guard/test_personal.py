"""The search for personal data: what both ways of looking find, and what is said of what was not looked at."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

import numpy as np
import pytest

from waypost.errors import Overloaded
from waypost.guard import personal as module
from waypost.guard.personal import PersonalData
from waypost.inference.encoder import Encoding
from waypost.inference.tags import Span

CARD = "4111 1111 1111 1111"


@dataclass
class Encoder:
    """Knows Ann; each text is one window. ``broken`` is a failure, ``slow`` never ends."""

    read: list[str] = field(default_factory=list)

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        self.read.append(text)
        if "slow" in text:
            await asyncio.get_running_loop().create_future()
        if "broken" in text:
            raise Overloaded("queue full")
        spans = tuple(Span(each.start(), each.end(), "PERSON", 0.7) for each in re.finditer("Ann", text))
        none = np.empty(0, np.float32)
        return Encoding(none, none, len(text), 1, 0, 0.0, spans=spans)


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture
def personal(encoder) -> PersonalData:
    return PersonalData(encoder, 0.5, deadline=0.05, max_windows=3)


def types(search) -> list[list[str]]:
    return [[finding.type for finding in found] for found in search.findings]


async def test_both_ways_of_looking_count(personal):
    search = await personal.search(["Ann", "nothing", f"Ann paid with {CARD}", "", "Ann"], {})
    assert types(search) == [["PERSON"], [], ["PERSON", "CREDIT_CARD"], [], ["PERSON"]]
    assert search.result.scores == {"PERSON": 0.7, "CREDIT_CARD": 1.0}
    assert (search.result.unknown, search.result.skipped_tokens) == ("", 0)
    assert [[finding.type for finding in found] for found in search.only({"PERSON"})][2] == ["PERSON"]


async def test_a_threshold_is_for_its_type_alone(personal):
    search = await personal.search([f"Ann {CARD}"], {"PERSON": 0.8})
    assert search.result.scores.keys() == {"CREDIT_CARD"}


async def test_the_newest_texts_are_read_first_and_each_once(personal, encoder):
    search = await personal.search(["Ann 1", "2", "3", "4", "3", f"Ann {CARD}"], {})
    assert encoder.read == [f"Ann {CARD}", "3", "4"]
    assert types(search)[0] == []  # not read by the classifier
    assert search.result.skipped_tokens == 3


@pytest.mark.parametrize(("text", "why"), [("broken", "queue full"), ("slow", "not read within")])
async def test_recognisers_need_no_classifier(personal, text, why):
    search = await personal.search([f"{text} {CARD}"], {})
    assert types(search) == [["CREDIT_CARD"]]
    assert why in search.result.unknown


async def test_what_is_too_much_to_search_is_said(personal, monkeypatch):
    monkeypatch.setattr(module, "_SEARCHED", 100)
    search = await personal.search([f"{CARD} {'x' * 90}", CARD], {})
    assert types(search) == [[], ["CREDIT_CARD"]]
    assert search.result.skipped_tokens == 28


async def test_a_search_that_takes_too_long_is_unknown(personal, monkeypatch):
    monkeypatch.setattr(module, "_INLINE", 0)
    monkeypatch.setattr(module.asyncio, "to_thread", lambda *_: asyncio.get_running_loop().create_future())
    search = await personal.search(["Ann"], {})
    assert types(search) == [[]]
    assert "not searched within" in search.result.unknown
