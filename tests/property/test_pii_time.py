"""No text makes a recogniser, or the merge, take more than linear time."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.guard.pii.find import find
from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers import RECOGNISERS

LONG = 100_000
SHORT = LONG // 4
QUADRATIC = 10
"""Four times the text: a linear search takes 4 times as long, a quadratic one 16."""
NOTICEABLE = 0.05
"""Seconds of computing below which the clock and the machine say more than the search."""

UNITS = [
    "a", "A", "0", "1", "7 ", "1-", "1.", "1,", "(1", "+1 ", "00 ", "a.", ".com", "a.com ", "a@", "a@b.", "@",
    "a'", "-", ".", ":", "::", "a:", "aa:", "1:2:", "http://", "http://a", "https://a.b/(", "www.", "0x", "0xa",
    "bc1q", "1A", "T", "DE89", "GB82 ", "AB12 ", "AB 12 34 ", "X1-", "eyJ", "eyJa.", "eyJaaaaaaaaaa.", "sk-",
    "sk-a", "xox", "password: ", "password=a1A!", 'key="a1', "token is ", "密码：", "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAAAAAA\n", "passport 123456 ", "license ",
    "license no. ", "zip ", "zip 12345 ", "phone ", "call 1234567 ", "4111 ", "411111111111111",
    "110105194912310", "身份证", "京A", "京A1", "护照E1", " ", "\n", "\\n", "İ", "😀", "a@b.org ", "+14155550123 ",
    "4111111111111111 ", "10.0.0.77 ", "fe80::1234 ", "571-58-6274 ", "DE89370400440532013000 ",
]  # fmt: skip


def seconds(search, text):
    start = time.thread_time()
    search(text)
    return time.thread_time() - start


def grows_too_fast(search, unit):
    """Measure anew what looks quadratic: a cache that was cold, or a neighbour, may have been the reason."""
    short, long = (unit * (size // len(unit)) for size in (SHORT, LONG))
    for _ in range(4):
        slow = seconds(search, long)
        if slow < NOTICEABLE or slow < QUADRATIC * seconds(search, short):
            return False
    return True


def searches(recogniser):
    return lambda text: list(recogniser.find(text))


@pytest.mark.parametrize("recogniser", RECOGNISERS, ids=lambda recogniser: recogniser.name)
def test_recognisers_take_linear_time_on_repeated_pieces(recogniser):
    assert [unit for unit in UNITS if grows_too_fast(searches(recogniser), unit)] == []


@settings(max_examples=15)
@given(st.text("aA0179 .:-+@/()=xXeEkKy\"'身", min_size=1, max_size=12))
def test_recognisers_take_linear_time_on_any_repeated_text(unit):
    slow = [recogniser.name for recogniser in RECOGNISERS if grows_too_fast(searches(recogniser), unit)]
    assert slow == []


@pytest.mark.parametrize("unit", ["a@b.org ", "Ann Lee, ", "4111111111111111 ", "aaaaaaaa"])
def test_finding_takes_linear_time_however_much_there_is(unit):
    def search(text):
        spans = [Finding(at, at + 7, "PERSON", 0.9, "any") for at in range(0, len(text) - 7, 9)]
        find(text, spans)

    assert not grows_too_fast(search, unit)


@given(st.text(max_size=200))
def test_findings_lie_within_the_text_in_order_and_apart(text):
    spans = [Finding(at, min(len(text), at + 5), "PERSON", 0.9, "any") for at in range(0, len(text), 7)]
    found = find(text, spans, threshold=0.0)
    assert all(0 <= finding.start < finding.end <= len(text) and 0 <= finding.score <= 1 for finding in found)
    assert all(left.end <= right.start for left, right in pairwise(found))
