import gzip
import json
from pathlib import Path

import pytest

from waypost.guard.pii.find import find
from waypost.guard.pii.finding import CLASSIFIER, Finding
from waypost.guard.pii.recognise import recognise

DATA = Path(__file__).parents[5] / "shared" / "data"
TEXT = "Ann Lee, maybe 988 857 5206, ann@lee.org"


def span(text, value, kind, score):
    return Finding(text.index(value), text.index(value) + len(value), kind, score, "any")


def values(text, found):
    return [(text[finding.start : finding.end], finding.type) for finding in found]


def test_both_are_seen_together():
    found = find(TEXT, [span(TEXT, "Ann Lee", "PERSON", 0.8)])
    assert values(TEXT, found) == [("Ann Lee", "PERSON"), ("ann@lee.org", "EMAIL_ADDRESS")]


def test_two_doubts_make_a_finding_with_the_recognisers_borders():
    found = find(TEXT, [span(TEXT, "857 5206,", "PHONE_NUMBER", 0.3)])
    assert values(TEXT, found)[0] == ("988 857 5206", "PHONE_NUMBER")
    assert found[0].recogniser == "phone"
    assert found[0].score == pytest.approx(1 - 0.65 * 0.7)


def test_another_type_confirms_nothing():
    assert values(TEXT, find(TEXT, [span(TEXT, "988 857 5206", "US_SSN", 0.4)])) == [("ann@lee.org", "EMAIL_ADDRESS")]


def test_a_type_may_have_a_threshold_of_its_own():
    spans = [span(TEXT, "Ann Lee", "PERSON", 0.8)]
    assert values(TEXT, find(TEXT, spans, thresholds={"PERSON": 0.9})) == [("ann@lee.org", "EMAIL_ADDRESS")]
    assert len(find(TEXT, [span(TEXT, "Ann Lee", "PERSON", 0.2)], threshold=0.1)) == 3


def test_what_is_below_its_threshold_hides_nothing():
    text = "Ann Lee Road 5"
    spans = [span(text, "Ann Lee", "PERSON", 0.8), span(text, text, "STREET_ADDRESS", 0.4)]
    assert find(text, spans) == (Finding(0, 7, "PERSON", 0.8, CLASSIFIER),)


def rows(name):
    path = DATA / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


@pytest.mark.parametrize(
    "kind", ["CREDIT_CARD", "DOMAIN_NAME", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "PHONE_NUMBER", "US_SSN"]
)
def test_forms_are_found_whole_in_the_dev_data_without_a_classifier(kind):
    hits = wanted = found = 0
    for row in rows("pii_dev"):
        truth = {(start, end) for start, end, label in row["spans"] if label == kind}
        seen = {(finding.start, finding.end) for finding in find(row["text"], ()) if finding.type == kind}
        hits, wanted, found = hits + len(truth & seen), wanted + len(truth), found + len(seen)
    assert 2 * hits / (wanted + found) > 0.98


def test_maths_and_code_questions_are_left_alone():
    texts = [row["text"] for row in rows("reasoning_dev")]
    assert sum(bool(recognise(text)) for text in texts) <= 0.02 * len(texts)
