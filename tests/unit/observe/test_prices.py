"""Costs, and what the same tokens would have cost elsewhere."""

from __future__ import annotations

import pytest

from waypost.observe.prices import Cost, Prices
from waypost.types import Usage

CASES = [
    # model, baseline, cost of a million prompt and half a million completion tokens
    ("large", None, Cost("USD", 6.0, 2.0)),
    ("small", None, Cost("USD", 2.0, 2.0)),
    ("small", "large", Cost("USD", 2.0, 6.0)),
    ("euro", None, Cost("EUR", 6.0, None)),
    ("large", "free", Cost("USD", 6.0, None)),
    ("free", None, None),
]


@pytest.mark.parametrize(("model", "baseline", "cost"), CASES)
def test_costs(make_config, model, baseline, cost):
    assert Prices.of(make_config(), baseline).cost(model, Usage(1_000_000, 500_000)) == cost


def test_nothing_costs_nothing(make_config):
    assert Prices.of(make_config()).cost("large", Usage(0, 0)) == Cost("USD", 0.0, 0.0)
