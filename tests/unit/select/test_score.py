"""Selection by score."""

from waypost.config.schema import ModelChoice
from waypost.select.base import Selector
from waypost.select.score import ScoreSelector
from waypost.types import Selection


def _choices(**scores: float) -> list[ModelChoice]:
    return [ModelChoice(model=model, score=score) for model, score in scores.items()]


def test_the_highest_score_wins():
    selector: Selector = ScoreSelector()
    assert selector.select(_choices(small=0.4, large=0.9, other=0.7)).model == "large"


def test_the_first_wins_a_tie():
    assert ScoreSelector().select(_choices(b=0.9, a=0.9)).model == "b"


def test_the_selection_carries_the_choice():
    choice = ModelChoice(model="m", score=0.5, reasoning=False, effort="low")
    assert ScoreSelector().select([choice]) == Selection("m", 0.5, "the only model", False, "low")
    assert ScoreSelector().select([choice, choice]).reason == "best score of 2 models"
