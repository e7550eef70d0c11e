"""What the cache does for one request."""

from __future__ import annotations

import json

import pytest

from waypost.build import build_engine
from waypost.cache.entry import Entry
from waypost.cache.store.memory import MemoryStore
from waypost.config.load import loads
from waypost.types import Forward, RequestHead

CONFIG = """
version: 1
models: {small: {endpoints: [{url: http://127.0.0.1:1}]}}
routing:
  default_model: small
  decisions: [{name: off, when: {keyword: off}, models: [{model: small}], cache: {enabled: false}}]
  signals: {keywords: [{name: off, any: ["#off"]}]}
cache: {similar: false, scope: global, wait: 1ms}
"""


class Watched(MemoryStore):
    """Counts the questions that it is asked."""

    looked = 0

    async def get_exact(self, exact: str) -> Entry | None:
        self.looked += 1
        return await super().get_exact(exact)


@pytest.fixture
def store() -> Watched:
    return Watched(max_entries=9, max_bytes=2**20)


@pytest.fixture
def engine(store):
    return build_engine(loads(CONFIG, "f", {}).config, {}, store=store)


async def opened(engine, text: str):
    """Begin a request that a model has to answer."""
    exchange = engine.open(RequestHead("POST", "/v1/chat/completions", {}))
    exchange.on_headers()
    body = {"model": "MoM", "messages": [{"role": "user", "content": text}]}
    assert isinstance(await exchange.on_body(json.dumps(body).encode()), Forward)
    return exchange


async def test_the_store_is_not_asked_where_the_decision_keeps_nothing(engine, store):
    (await opened(engine, "#off hello")).on_end(aborted=True)
    assert engine.cache.counts == {("miss", "disabled"): 1}
    assert store.looked == 0


async def test_a_wait_in_vain_is_one_miss(engine):
    first = await opened(engine, "hello")
    second = await opened(engine, "hello")
    assert engine.cache.counts == {("miss", "absent"): 1, ("miss", "waited"): 1}
    for exchange in (first, second):
        exchange.on_end(aborted=True)
