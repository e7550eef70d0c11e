import random
from itertools import pairwise

import pytest

from waypost.guard.pii.finding import CLASSIFIER, Finding
from waypost.guard.pii.merge import merge


def model(start, end, kind, score=0.9):
    return Finding(start, end, kind, score, CLASSIFIER)


def form(start, end, kind, score=0.75):
    return Finding(start, end, kind, score, "form")


CARD = form(10, 26, "CREDIT_CARD", 1.0)


@pytest.mark.parametrize(
    "findings, kept",
    [
        ([], []),
        ([model(5, 9, "PERSON"), form(0, 4, "US_SSN")], [form(0, 4, "US_SSN"), model(5, 9, "PERSON")]),
        ([model(0, 4, "PERSON"), model(4, 9, "GPE")], [model(0, 4, "PERSON"), model(4, 9, "GPE")]),
        ([CARD, CARD], [CARD]),
        # a checksum beats the model, and a longer form without one
        ([CARD, model(8, 30, "US_SSN", 1.0)], [CARD]),
        ([CARD, form(8, 30, "PHONE_NUMBER", 0.9)], [CARD]),
        # a form beats what the model says of forms, but not a longer piece of prose
        ([form(0, 9, "PHONE_NUMBER"), model(0, 12, "CREDIT_CARD", 0.99)], [form(0, 9, "PHONE_NUMBER")]),
        ([form(20, 25, "ZIP_CODE"), model(0, 25, "STREET_ADDRESS")], [model(0, 25, "STREET_ADDRESS")]),
        # longer, surer, the recogniser, the alphabet
        ([form(0, 9, "DOMAIN_NAME"), form(0, 12, "EMAIL_ADDRESS", 0.6)], [form(0, 12, "EMAIL_ADDRESS", 0.6)]),
        ([form(0, 9, "US_SSN", 0.6), form(0, 9, "TAX_ID", 0.7)], [form(0, 9, "TAX_ID", 0.7)]),
        ([form(0, 9, "ZIP_CODE", 0.6), model(0, 9, "AGE", 0.6)], [form(0, 9, "ZIP_CODE", 0.6)]),
        ([model(0, 9, "PERSON"), model(0, 9, "GPE")], [model(0, 9, "GPE")]),
        # what is left of prose
        ([CARD, model(10, 60, "STREET_ADDRESS")], [CARD, model(26, 60, "STREET_ADDRESS")]),
        ([CARD, model(5, 26, "PERSON")], [CARD]),
        ([CARD, form(26, 30, "ZIP_CODE", 1.0), model(0, 28, "PERSON")], [CARD, form(26, 30, "ZIP_CODE", 1.0)]),
    ],
)
def test_overlaps_are_settled(findings, kept):
    assert list(merge(findings)) == kept


def test_the_order_of_findings_does_not_matter():
    rng = random.Random(1)
    types = ["PERSON", "US_SSN", "CREDIT_CARD", "STREET_ADDRESS"]
    findings = []
    for _ in range(60):
        start = rng.randrange(200)
        make = rng.choice([model, form])
        findings.append(make(start, start + rng.randrange(1, 30), rng.choice(types), rng.choice([0.5, 0.8, 1.0])))
    expected = merge(findings)
    assert all(left.end <= right.start for left, right in pairwise(expected))
    for _ in range(5):
        rng.shuffle(findings)
        assert merge(findings) == expected
