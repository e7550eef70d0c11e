"""An engine with no socket, no clock but ours, and a signal that says what we want."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import pytest

from waypost.cache.cache import Cache
from waypost.cache.similarity import shipped
from waypost.cache.store.memory import MemoryStore
from waypost.config.schema import Config
from waypost.engine import Engine
from waypost.errors import Overloaded
from waypost.guard.health import GuardHealth
from waypost.guard.personal import PersonalData
from waypost.guard.watch import Watch
from waypost.inference.encoder import Encoding
from waypost.inference.tags import Span
from waypost.policy.decide import Policy
from waypost.select.score import ScoreSelector
from waypost.types import Record, Request, RequestHead, SignalResult


@dataclass
class Domain:
    """Finds the domain that is the last word of the text; ``?`` is a failure."""

    kind: str = "domain"
    cost: float = 0.01
    seen: list[Request] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    """What happens while it measures."""

    async def measure(self, request: Request) -> SignalResult:
        self.seen.append(request)
        self.meanwhile()
        word = request.user_text.split()[-1]
        if word == "?":
            return SignalResult("domain", unknown="queue full")
        found = frozenset({word}) & {"math", "law"}
        return SignalResult("domain", found, dict.fromkeys(found, 0.9375), threshold=0.5)


@dataclass
class Attacks:
    """Finds the word ``attack``, and ``bomb`` harmful; ``broken`` is a failure, ``endless`` leaves tokens unread."""

    kind: str = "jailbreak"
    cost: float = 0.01
    seen: list[Request] = field(default_factory=list)

    async def measure(self, request: Request) -> SignalResult:
        self.seen.append(request)
        text = "\n".join(message.text for message in request.messages)
        if "broken" in text:
            return SignalResult("jailbreak", threshold=0.5, unknown="queue full")
        scores = {
            "jailbreak": 0.9 if "attack" in text else 0.1,
            "harmful": 0.8 if "bomb" in text else 0.2,
            "indirect": 0.6 if "planted attack" in text else 0.0,
        }
        matched = frozenset(name for name, score in scores.items() if score >= 0.5)
        return SignalResult("jailbreak", matched, scores, 0.5, skipped_tokens=7000 if "endless" in text else 0)


@dataclass
class Names:
    """An encoder that knows Ann and Bob; ``broken`` is a failure, ``endless`` leaves tokens unread."""

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        if "broken" in text:
            raise Overloaded("queue full")
        spans = tuple(Span(each.start(), each.end(), "PERSON", 0.9) for each in re.finditer(r"Ann|Bob", text))
        none = np.empty(0, np.float32)
        return Encoding(none, none, len(text), 1, 7000 if "endless" in text else 0, 0.0, spans=spans)


@dataclass
class Observer:
    begun: int = 0
    records: list[Record] = field(default_factory=list)

    def begin(self, head) -> None:
        self.begun += 1

    def observe(self, record: Record) -> None:
        self.records.append(record)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def config(guard: dict | None = None, pii: dict | None = None, **routing: Any) -> Config:
    """``pii``: by model, what it is allowed to see. ``guards``: by decision, what its guards do otherwise."""
    guards = routing.pop("guards", {})
    raw = _raw(routing.pop("upstream", "clusters"), routing)
    raw["guard"] = guard or {}
    for name, allowed in (pii or {}).items():
        raw["models"][name]["pii"] = {"allow": allowed}
    raw |= {name: routing_of for name in ("cache", "tools") if (routing_of := raw["routing"].pop(name, None))}
    for decision in raw["routing"]["decisions"]:
        decision |= {"guard": guards[decision["name"]]} if decision["name"] in guards else {}
    return Config.model_validate(raw)


def _raw(upstream: str, routing: dict) -> dict:
    return {
        "version": 1,
        "envoy": {"upstream": upstream},
        "models": {
            "math": {
                "endpoints": [{"url": "http://10.0.0.1:8000"}],
                "served_as": "org/Math-7B",
                "reasoning_family": "qwen3",
            },
            "law": {
                "endpoints": [{"url": "http://10.0.0.2:8000"}, {"url": "http://10.0.0.3:8000"}],
                "api_key_env": "LAW_KEY",
                "reasoning_family": "gpt-oss",
            },
            "general": {"endpoints": [{"url": "http://10.0.0.4:80"}]},
        },
        "reasoning_families": {
            "qwen3": {"type": "chat_template_kwargs", "parameter": "enable_thinking"},
            "gpt-oss": {"type": "reasoning_effort", "parameter": "reasoning_effort"},
        },
        "routing": {
            "default_model": "general",
            "decisions": [
                {
                    "name": "calculate",
                    "priority": 2,
                    "when": {"domain": "math"},
                    "models": [{"model": "math", "reasoning": True}],
                    "system_prompt": {"text": "Be exact."},
                },
                {
                    "name": "advise",
                    "priority": 1,
                    "when": {"domain": "law"},
                    "models": [{"model": "law", "reasoning": False}],
                },
            ],
            **routing,
        },
    }


@pytest.fixture
def observer() -> Observer:
    return Observer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def domain() -> Domain:
    return Domain()


@pytest.fixture
def attacks() -> Attacks:
    return Attacks()


@pytest.fixture
def make_engine(observer, clock, domain, attacks):
    def make(**keys: Any) -> Engine:
        found = config(**keys)
        store = MemoryStore(max_entries=9, max_bytes=2**20)
        cache = Cache(found.cache, store, shipped(), None) if found.cache else None
        return Engine(
            config=found,
            policy=Policy(found.routing.decisions),
            signals={"domain": domain},
            selector=ScoreSelector(),
            observer=observer,
            watch=Watch(attacks, PersonalData(Names(), 0.5, deadline=9, max_windows=9), GuardHealth()),
            cache=cache,
            api_keys={"law": "sk-law"},
            created=1_700_000_000,
            clock=clock,
            random=Random(1),
        )

    return make


@pytest.fixture
def engine(make_engine) -> Engine:
    return make_engine()


@pytest.fixture
def ask() -> Callable[..., Any]:
    """Bring one request to the point where it leaves: ``exchange, action = ask(engine, body, path=…, headers=…)``."""

    def ask(engine: Engine, body: bytes, *, path: str = "/v1/chat/completions", headers: dict | None = None):
        exchange = engine.open(RequestHead("POST", path, headers or {}))
        assert exchange.on_headers() is None
        return exchange, asyncio.run(exchange.on_body(body))

    return ask
