"""Records of requests, and a configuration that could have served them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from waypost.config.schema import Config
from waypost.types import Decision, Record, Selection, SignalResult, Trace, Usage

TRACE = Trace("a" * 32, "b" * 16, "c" * 16, "d" * 16, sampled=True)


@pytest.fixture
def record() -> Record:
    """A streamed request that went all the way."""
    return Record(
        path="/v1/chat/completions",
        requested_model="MoM",
        status=200,
        decision=Decision("calculate", ("domain is math (0.90 ≥ 0.50)",), 0.9),
        selection=Selection("large", 0.9, "best score of 2 models", reasoning=True, effort="high"),
        signals={
            "keyword": SignalResult("keyword", frozenset({"sum"})),
            "domain": SignalResult("domain", frozenset({"math"}), {"math": 0.9, "law": 0.1}, threshold=0.5),
        },
        signal_seconds={"keyword": 0.001, "domain": 0.01},
        decide_seconds=0.0002,
        router_seconds=0.012,
        total_seconds=1.5,
        first_token_seconds=0.5,
        usage=Usage(1_000_000, 11),
        request_id="r-1",
        trace=TRACE,
        method="POST",
        began=1_700_000_000.0,
        body_seconds=0.1,
        answer_seconds=0.25,
        stream=True,
        endpoint="10.0.0.1:8000",
        system_prompt=True,
    )


@pytest.fixture
def make_config() -> Callable[..., Config]:
    """``make_config(routing={…}, guard={…})``: sections replace those of the default."""

    def make(**sections: Any) -> Config:
        base = {
            "version": 1,
            "models": {
                "small": {
                    "endpoints": [{"url": "http://10.0.0.2:8000"}],
                    "pricing": {"prompt_per_1m": 1.0, "completion_per_1m": 2.0},
                },
                "large": {
                    "endpoints": [{"url": "http://10.0.0.1:8000"}],
                    "pricing": {"prompt_per_1m": 3.0, "completion_per_1m": 6.0},
                },
                "euro": {
                    "endpoints": [{"url": "http://10.0.0.3:8000"}],
                    "pricing": {"currency": "EUR", "prompt_per_1m": 3.0, "completion_per_1m": 6.0},
                },
                "free": {"endpoints": [{"url": "http://10.0.0.4:8000"}]},
            },
            "routing": {
                "default_model": "small",
                "signals": {"keywords": [{"name": "sum", "any": ["sum"]}]},
                "decisions": [
                    {"name": "calculate", "when": {"domain": "math"}, "models": [{"model": "large"}], "priority": 2},
                    {"name": "add", "when": {"keyword": "sum"}, "models": [{"model": "free"}], "priority": 1},
                ],
            },
        }
        return Config.model_validate({**base, **sections})

    return make
