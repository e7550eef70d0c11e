"""Invariants of keywords on arbitrary text."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from waypost.config.schema import KeywordSignal as Rule
from waypost.signals.keyword import KeywordSignal
from waypost.types import Request

text = st.text(max_size=80)
term = st.text(min_size=1, max_size=12).filter(str.strip)
word = st.text(alphabet="abcdefxyz", min_size=1, max_size=6)


def _matched(body: str, *rules: Rule) -> frozenset[str]:
    result = asyncio.run(KeywordSignal(rules).measure(Request("chat", "MoM", (), body)))
    assert not result.unknown_names
    return result.matched


@given(term)
def test_a_term_is_in_itself(found):
    assert _matched(found, Rule(name="r", any=(found,)))


@given(text, term, text)
def test_a_term_set_off_by_spaces_is_found(before, found, after):
    assert _matched(f"{before} {found} {after}", Rule(name="r", any=(found,)))


@given(text, word, word)
def test_any_and_none_are_opposites(body, one, other):
    matched = _matched(body, Rule(name="any", any=(one, other)), Rule(name="none", none=(one, other)))
    assert len(matched) == 1


@given(text, word, word)
def test_all_implies_any(body, one, other):
    matched = _matched(body, Rule(name="any", any=(one, other)), Rule(name="all", all=(one, other)))
    assert "any" in matched or "all" not in matched


@given(st.lists(word, max_size=8), word)
def test_latin_terms_are_whole_words(words, wanted):
    assert bool(_matched(" ".join(words), Rule(name="r", any=(wanted,)))) is (wanted in words)


@given(st.text(alphabet="的一是不了人我在有他", max_size=20), st.text(alphabet="的一是不了", min_size=1, max_size=3))
def test_chinese_terms_are_substrings(body, wanted):
    assert bool(_matched(body, Rule(name="r", any=(wanted,)))) is (wanted in body)


@given(st.text(alphabet="aAbB zZ-", max_size=40), st.text(alphabet="aAbBzZ-", min_size=1, max_size=3))
def test_case_folding_only_adds(body, wanted):
    strict = _matched(body, Rule(name="r", any=(wanted,), case_sensitive=True))
    assert strict <= _matched(body.swapcase(), Rule(name="r", any=(wanted,)))
