"""The endpoint of a model: by weight, and as an address."""

from collections import Counter
from random import Random

import pytest

from waypost.config.schema import Endpoint
from waypost.select.endpoint import choose, destination


def test_weights_are_shares():
    endpoints = [Endpoint(url="http://a:1", weight=3), Endpoint(url="http://b:1", weight=1)]
    random = Random(7)
    counts = Counter(choose(endpoints, random).host for _ in range(4_000))
    assert counts["a"] / 4_000 == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("https://api.example.com/v2", "api.example.com:443"),
        ("http://[::1]:9000", "[::1]:9000"),
    ],
)
def test_destination(url, expected):
    assert destination([Endpoint(url=url)], Random(0)) == expected
