"""What the tables of the recognisers share."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from waypost.guard.pii.recognisers import Recogniser


@pytest.fixture(scope="session")
def sees() -> Callable[[Recogniser, str], list[str]]:
    """List what a recogniser is sure enough of to report alone."""

    def values(recogniser: Recogniser, text: str) -> list[str]:
        found = [finding for finding in recogniser.find(text) if finding.score >= 0.5]
        assert all(finding.type in recogniser.types and finding.recogniser == recogniser.name for finding in found)
        assert all(left.end <= right.start for left, right in pairwise(found))
        return [text[finding.start : finding.end] for finding in found]

    return values
