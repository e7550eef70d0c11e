import numpy as np
import pytest

from waypost.errors import DeadlineExceeded, SetupError
from waypost.inference.encoder import Encoding
from waypost.inference.head import Head
from waypost.inference.manifest import HeadFacts, Manifest
from waypost.signals.domain import DomainSignal
from waypost.signals.names import DOMAINS
from waypost.types import Message, Request


def request(text: str) -> Request:
    return Request("chat", "auto", (Message("user", text),), text)


class FixedEncoder:
    """Gives the same features for each text, or fails."""

    def __init__(self, features=None, error=None):
        self.features, self.error = features, error

    async def encode(self, text):
        if self.error:
            raise self.error
        return Encoding(np.zeros(2, np.float32), np.array(self.features, np.float32), 1, 1, 0, 0.0)

    def close(self):
        pass


@pytest.fixture
def head():
    return Head(("law", "math"), np.eye(2, dtype=np.float16), np.zeros(2, np.float32), 1.0, "r1")


@pytest.mark.parametrize("threshold, matched", [(0.5, {"math"}), (0.73, {"math"}), (0.74, set()), (1.0, set())])
async def test_the_top_subject_matches_from_the_threshold_on(head, threshold, matched):
    result = await DomainSignal(FixedEncoder([0.0, 1.0]), head, threshold).measure(request("x"))
    assert result.matched == matched
    assert result.scores == pytest.approx({"math": 0.731, "law": 0.269}, abs=1e-3)
    assert result.threshold == threshold
    assert not result.unknown


async def test_only_one_subject_matches_at_threshold_zero(head):
    result = await DomainSignal(FixedEncoder([0.0, 0.0]), head, 0.0).measure(request("x"))
    assert len(result.matched) == 1


async def test_a_failed_encoder_makes_the_signal_unknown(head):
    encoder = FixedEncoder(error=DeadlineExceeded("no result within 2 s"))
    result = await DomainSignal(encoder, head, 0.5).measure(request("x"))
    assert result.unknown == "no result within 2 s"
    assert not result.matched


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000"])
async def test_no_text_is_unknown(head, text):
    result = await DomainSignal(FixedEncoder([1.0, 0.0]), head, 0.5).measure(request(text))
    assert "no text" in result.unknown


@pytest.fixture
def signal(encoder):
    return DomainSignal.load(encoder, 0.5)


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


def test_the_bundled_head_is_refused_for_another_encoder(encoder, monkeypatch):
    class Other:
        manifest = Manifest("another", 2, 2, (), "", "", "", (), {})

    with pytest.raises(SetupError, match="another encoder"):
        DomainSignal.load(Other(), 0.5)


@pytest.mark.parametrize("configured, threshold", [(None, 0.6), (0.9, 0.9)])
async def test_an_encoder_with_a_head_of_its_own_needs_no_other(configured, threshold):
    class Trained:
        manifest = Manifest("r", 2, 0, (), "", "", "", (), {}, heads=(HeadFacts("domain", ("law",), "mean", 1.0, 0.6),))

        async def encode(self, text):
            none = np.empty(0, np.float32)
            return Encoding(none, none, 1, 1, 3, 0.0, probabilities={"domain": {"law": 0.7, "math": 0.3}})

    result = await DomainSignal.load(Trained(), configured).measure(request("x"))
    assert result.threshold == threshold
    assert result.matched == ({"law"} if configured is None else set())
    assert result.skipped_tokens == 3
