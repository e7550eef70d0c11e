from collections import Counter

import pytest

from waypost.guard.pii.recognise import recognise
from waypost.guard.pii.recognisers import RECOGNISERS
from waypost.guard.pii.types import FORMAL_TYPES, PII_TYPES, RECOGNISED_TYPES
from waypost.signals import names


def test_all_recognisers_run_and_findings_are_in_order():
    found = recognise("card 4111 1111 1111 1111, mail a@b.org; 手机号13812345678")
    assert [finding.type for finding in found] == ["CREDIT_CARD", "EMAIL_ADDRESS", "PHONE_NUMBER"]


def test_only_the_types_asked_for_are_found():
    text = "see www.a.org or a@b.org"
    assert [finding.type for finding in recognise(text, {"DOMAIN_NAME"})] == ["DOMAIN_NAME"]
    assert recognise(text, ()) == []


def test_hints_are_left_out_unless_asked_for():
    assert recognise("maybe 988 857 5206") == []
    assert [finding.type for finding in recognise("maybe 988 857 5206", at_least=0)] == ["PHONE_NUMBER"]


@pytest.mark.parametrize("text", ["", " ", "What is the derivative of x^2 + 3x?", "for i in range(10): print(i)"])
def test_there_is_nothing_to_find(text):
    assert recognise(text, at_least=0) == []


def test_every_recogniser_has_its_own_name_and_known_types():
    assert Counter(recogniser.name for recogniser in RECOGNISERS).most_common(1)[0][1] == 1
    assert all(recogniser.types <= set(PII_TYPES) for recogniser in RECOGNISERS)


def test_types_are_told_once_and_those_without_a_model_have_a_recogniser():
    assert len(set(PII_TYPES)) == len(PII_TYPES)
    assert set(names.PII_TYPES) < set(PII_TYPES)
    assert set(RECOGNISED_TYPES).isdisjoint(names.PII_TYPES)
    found = frozenset().union(*(recogniser.types for recogniser in RECOGNISERS))
    assert found - {"ZIP_CODE"} == FORMAL_TYPES
