"""What answers cost, and what the default model would have cost for the same tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from waypost.config.schema import Config, Pricing
from waypost.types import Usage

__all__ = ["Cost", "Prices", "cost_of"]


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount of money, and what the baseline model would have cost for the same number of tokens."""

    currency: str
    amount: float
    baseline: float | None = None
    """None when the baseline has no price, or one in another currency."""


@dataclass(frozen=True)
class Prices:
    """The prices of one configuration."""

    by_model: Mapping[str, Pricing]
    baseline: str

    @classmethod
    def of(cls, config: Config, baseline: str | None = None) -> Self:
        """Take them from the pool; ``baseline`` is the default model unless it is named."""
        priced = {name: model.pricing for name, model in config.models.items() if model.pricing}
        return cls(priced, baseline or config.routing.default_model)

    def cost(self, model: str, usage: Usage) -> Cost | None:
        """Return what an answer cost; None for a model without a price."""
        price = self.by_model.get(model)
        if price is None:
            return None
        amount = cost_of(price, usage)
        other = self.by_model.get(self.baseline)
        comparable = other is not None and other.currency == price.currency
        return Cost(price.currency, amount, cost_of(other, usage) if other and comparable else None)


def cost_of(price: Pricing, usage: Usage) -> float:
    """Return the price of so many tokens, in its currency."""
    return (usage.prompt_tokens * price.prompt_per_1m + usage.completion_tokens * price.completion_per_1m) / 1e6
