import pytest

from waypost.learn.judged import Found, Judged
from waypost.learn.pii_thresholds import choose_thresholds

_SPANS = 100


def judged(personal: list[Found], plain: list[Found], *kinds: str, plain_texts: int = 100) -> Judged:
    truth = [[(0, 1, kind) for kind in kinds] for _ in range(_SPANS)]
    return Judged(personal, plain, truth, plain_texts)


def right(kind: str, scores: list[float]) -> list[Found]:
    return [Found(row, kind, score, right=True) for row, score in enumerate(scores)]


def test_a_type_keeps_the_base_where_nothing_is_gained() -> None:
    sure = right("PERSON", [0.99] * _SPANS)
    assert choose_thresholds(judged(sure, [], "PERSON"), 0.02) == {"PERSON": 0.5}


def test_a_type_of_few_spans_gets_no_threshold() -> None:
    few = Judged(right("AGE", [0.9]), [Found(0, "AGE", 0.6)], [[(0, 1, "AGE")]], 1)
    assert choose_thresholds(few, 0.0) == {}


@pytest.mark.parametrize(
    ("score", "expected"), [(0.42, 0.4), (0.7, 0.5)], ids=["many right ones lie below the base", "none does"]
)
def test_the_best_f1_is_where_it_starts(score: float, expected: float) -> None:
    assert choose_thresholds(judged(right("GPE", [score] * _SPANS), [], "GPE"), 1.0) == {"GPE": expected}


def test_wrong_spans_raise_a_threshold() -> None:
    wrong = [Found(row, "GPE", 0.62) for row in range(_SPANS)]
    assert choose_thresholds(judged(right("GPE", [0.9] * _SPANS) + wrong, [], "GPE"), 1.0) == {"GPE": 0.65}


def test_the_cheapest_type_is_raised_until_the_budget_holds() -> None:
    dear = right("PERSON", [0.55] * _SPANS)
    cheap = right("TITLE", [0.95] * _SPANS)
    alarms = [Found(row, "TITLE", 0.7) for row in range(10)] + [Found(row, "PERSON", 0.52) for row in range(10, 12)]
    found = judged(dear + cheap, alarms, "PERSON", "TITLE")
    chosen = choose_thresholds(found, 0.02)
    assert chosen == {"PERSON": 0.5, "TITLE": 0.75}
    assert found.share({}) == pytest.approx(0.12)
    assert found.share(chosen) == pytest.approx(0.02)
    assert found.f1(chosen) == 1.0


def test_it_stops_when_nothing_helps() -> None:
    proven = judged(right("IBAN_CODE", [1.0] * _SPANS), [Found(0, "IBAN_CODE", 1.0)], "IBAN_CODE")
    assert choose_thresholds(proven, 0.0) == {"IBAN_CODE": 0.5}


def test_halves_split_rows_texts_and_truth() -> None:
    whole = judged(right("AGE", [0.9] * _SPANS), [Found(0, "AGE", 0.9)], "AGE", plain_texts=5)
    even, odd = whole.half(odd=False), whole.half(odd=True)
    assert (even.wanted("AGE"), odd.wanted("AGE")) == (50, 50)
    assert even.share({}) == pytest.approx(1 / 3)
    assert odd.share({}) == 0.0
    assert even.f1({}) == odd.f1({}) == 1.0
