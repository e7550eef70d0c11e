import pytest

from waypost.guard.pii.finding import CLASSIFIER, Finding
from waypost.guard.pii.spans import tidy


def tidied(marked, kind):
    """Spans stand between ⟦ and ⟧; list the texts of what becomes of them."""
    text, spans, starts = "", [], []
    for character in marked:
        if character == "⟦":
            starts.append(len(text))
        elif character == "⟧":
            spans.append(Finding(starts.pop(), len(text), kind, 0.8, "any"))
        else:
            text += character
    found = tidy(text, spans)
    assert all(finding.recogniser == CLASSIFIER for finding in found)
    return [text[finding.start : finding.end] for finding in found]


@pytest.mark.parametrize(
    "marked, kind, texts",
    [
        # whole words, in scripts that have words
        ("on ⟦monda⟧y", "DATE_TIME", ["monday"]),
        ("zip L⟦6R8⟧T3", "ZIP_CODE", ["L6R8T3"]),
        ("我叫⟦张伟⟧今年", "PERSON", ["张伟"]),
        # punctuation of the sentence
        ("on ⟦Oct 20, 2004.⟧", "DATE_TIME", ["Oct 20, 2004"]),
        ("I am ⟦27,⟧ and", "AGE", ["27"]),
        ("at ⟦Acme Inc.⟧", "ORGANIZATION", ["Acme Inc."]),
        ("⟦Tarak (⟧owner)", "PERSON", ["Tarak"]),
        ("⟦Perticato (CO⟧)", "STREET_ADDRESS", ["Perticato (CO)"]),
        ("⟦,⟧", "PERSON", []),
        # pieces of one thing
        ("⟦December⟧ ⟦22nd⟧", "DATE_TIME", ["December 22nd"]),
        ("⟦May 4,⟧ ⟦2012⟧", "DATE_TIME", ["May 4, 2012"]),
        ("⟦12 High St⟧\n⟦Leeds⟧", "STREET_ADDRESS", ["12 High St\nLeeds"]),
        ("⟦Ann⟧ ⟦Lee⟧", "PERSON", ["Ann Lee"]),
        ("⟦Ann⟧, ⟦Bob⟧", "PERSON", ["Ann", "Bob"]),
        ("⟦a@b.de⟧ ⟦c@d.de⟧", "EMAIL_ADDRESS", ["a@b.de", "c@d.de"]),
        # what cannot be of its type
        ("⟦Nicole⟧", "EMAIL_ADDRESS", []),
        ("⟦18.22.75⟧", "IP_ADDRESS", []),
        ("⟦425685888719⟧", "CREDIT_CARD", []),
        ("⟦55745059507943790693⟧", "IBAN_CODE", []),
        ("⟦GB00 WEST 1234 5698⟧", "IBAN_CODE", ["GB00 WEST 1234 5698"]),
    ],
)
def test_spans_are_tidied(marked, kind, texts):
    assert tidied(marked, kind) == texts


def test_a_joined_span_is_as_sure_as_its_weakest_piece():
    pieces = [Finding(0, 3, "PERSON", 0.9, "any"), Finding(4, 7, "PERSON", 0.6, "any")]
    assert tidy("Ann Lee", pieces) == [Finding(0, 7, "PERSON", 0.6, CLASSIFIER)]


def test_a_word_without_end_is_not_followed_for_ever():
    (found,) = tidy("a" * 10_000, [Finding(5000, 5001, "PERSON", 0.9, "any")])
    assert found.end - found.start < 100
