import numpy as np
import pytest

from waypost.errors import DeadlineExceeded
from waypost.inference.encoder import Encoding
from waypost.signals.domain import DomainSignal
from waypost.signals.names import DOMAINS
from waypost.types import Message, Request

_NONE = np.empty(0, np.float32)


def request(text: str) -> Request:
    return Request("chat", "auto", (Message("user", text),), text)


class FixedEncoder:
    """Finds the same subjects in each text, or fails."""

    def __init__(self, error=None, **subjects):
        self.subjects, self.error = subjects, error

    async def encode(self, text):
        if self.error:
            raise self.error
        return Encoding(_NONE, _NONE, 1, 1, 3, 0.0, probabilities={"domain": self.subjects})


@pytest.mark.parametrize("threshold, matched", [(0.5, {"math"}), (0.73, {"math"}), (0.74, set()), (1.0, set())])
async def test_the_top_subject_matches_from_the_threshold_on(threshold, matched):
    result = await DomainSignal(FixedEncoder(law=0.27, math=0.73), threshold).measure(request("x"))
    assert result.matched == matched
    assert result.scores == {"math": 0.73, "law": 0.27}
    assert result.threshold == threshold
    assert result.skipped_tokens == 3
    assert not result.unknown


async def test_only_one_subject_matches_at_threshold_zero():
    result = await DomainSignal(FixedEncoder(law=0.5, math=0.5), 0.0).measure(request("x"))
    assert len(result.matched) == 1


async def test_a_failed_encoder_makes_the_signal_unknown():
    encoder = FixedEncoder(error=DeadlineExceeded("no result within 2 s"))
    result = await DomainSignal(encoder, 0.5).measure(request("x"))
    assert result.unknown == "no result within 2 s"
    assert not result.matched


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000"])
async def test_no_text_is_unknown(text):
    result = await DomainSignal(FixedEncoder(law=0.9, math=0.1), 0.5).measure(request(text))
    assert "no text" in result.unknown


@pytest.fixture
def signal(encoder):
    return DomainSignal(encoder, 0.5)


@pytest.mark.parametrize(
    "text, subject",
    [
        ("帮我解这道微积分题:求 x^2·sin(x) 的导数", "math"),
        ("Write a Python function that reverses a linked list", "computer science"),
        ("Is a verbal contract enforceable?", "law"),
        ("Tell me a joke about cats", "other"),
    ],
)
async def test_prompts_of_the_demo(signal, text, subject):
    result = await signal.measure(request(text))
    assert result.matched == {subject}, result.scores


async def test_all_subjects_have_a_probability(signal):
    result = await signal.measure(request("Does gold rust?"))
    assert sorted(result.scores) == sorted(DOMAINS)
    assert sum(result.scores.values()) == pytest.approx(1)
