"""Advice on the cache's threshold, where its checks have refused pairs before the threshold is asked."""

from __future__ import annotations

import numpy as np
import pytest

from waypost.errors import DataError
from waypost.learn.advice import advise_similarity
from waypost.learn.evaluate.evidence import Evaluation, Evidence
from waypost.learn.thresholds import Budget, Trials

SHIPPED = 0.87
REFUSED = -np.inf


def evaluation(wrong: list[float], right: list[float]) -> Evaluation:
    """Pairs labelled 0 and 1, of these similarities."""
    trials = Trials(np.array(wrong), np.array(right), "different", "same")
    figures = {"task": "cache", "n": len(wrong) + len(right), "threshold": SHIPPED}
    return Evaluation(figures, Evidence(trials=trials))


FEW = [REFUSED] * 380
ADVICE = {
    "the checks refused all": ([REFUSED] * 400, [0.6, 0.9], SHIPPED, True),
    "all but a few": (FEW + [0.55] * 19, [0.6, 0.9], SHIPPED, True),
    "pairs that nobody would confuse": (FEW + [0.1] * 300, [0.05, 0.9], SHIPPED, True),
    "a few that are alike": (FEW + [0.95] * 10, [0.6, 0.97], 0.9501, False),
    "enough, and alike": (FEW + [0.7] * 25, [0.6, 0.9], 0.7001, False),
    "nothing to win so far down": (FEW + [0.55] * 25, [0.65, REFUSED, 0.9], 0.65, False),
    "what is right is far above": (FEW + [0.55] * 25, [0.95], SHIPPED, False),
    "what is right is far below": (FEW + [0.5] * 25, [0.01], 0.5001, False),
    "nothing right passes": (FEW + [0.6] * 25, [REFUSED], SHIPPED, False),
}


@pytest.mark.parametrize(("wrong", "right", "threshold", "kept"), ADVICE.values(), ids=ADVICE)
def test_the_pairs_say_how_low_it_may_be(wrong: list[float], right: list[float], threshold: float, kept: bool) -> None:
    advice = advise_similarity(evaluation(wrong, right), Budget(max_false_positive=0.01))
    assert (advice["threshold"], advice["kept"]) == (threshold, kept)
    assert advice["false_positive_rate"] <= 0.01
    assert advice["recall"] == pytest.approx(sum(score >= threshold for score in right) / len(right), abs=1e-4)


def test_too_few_pairs_prove_nothing() -> None:
    with pytest.raises(DataError, match="needs at least 299 different rows without an error; the file has 200"):
        advise_similarity(evaluation([REFUSED] * 200, [0.9]), Budget(max_false_positive=0.01))
