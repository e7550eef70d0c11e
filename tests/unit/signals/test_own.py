import numpy as np
import pytest

from waypost.errors import DeadlineExceeded
from waypost.signals.own import OwnModelSignal
from waypost.types import Message, Request


def request(text: str) -> Request:
    return Request("chat", "auto", (Message("user", text),), text)


class FixedClassifier:
    labels = ("billing", "returns")

    def __init__(self, *probabilities, error=None):
        self.found, self.error = np.array(probabilities, np.float32), error

    async def probabilities(self, text):
        if self.error:
            raise self.error
        return self.found


@pytest.mark.parametrize("threshold, matched", [(None, {"returns"}), (0.75, {"returns"}), (0.8, set())])
async def test_the_top_label_matches_from_the_threshold_on(threshold, matched):
    result = await OwnModelSignal("domain", FixedClassifier(0.25, 0.75), threshold).measure(request("x"))
    assert result.kind == "domain"
    assert result.matched == matched
    assert result.scores == {"billing": 0.25, "returns": 0.75}
    assert result.threshold == (0.5 if threshold is None else threshold)


async def test_a_failure_is_unknown():
    signal = OwnModelSignal("domain", FixedClassifier(error=DeadlineExceeded("no result within 2 s")), 0.5)
    assert (await signal.measure(request("x"))).unknown == "no result within 2 s"


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000"])
async def test_no_text_is_unknown(text):
    result = await OwnModelSignal("domain", FixedClassifier(0.5, 0.5), 0.5).measure(request(text))
    assert "no text" in result.unknown
