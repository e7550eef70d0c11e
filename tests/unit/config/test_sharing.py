"""What several workers cannot share is refused with its line, and only then."""

from __future__ import annotations

import pytest

from waypost.config.load import loads
from waypost.errors import ConfigError

BASE = "version: 1\nmodels: {a: {endpoints: [{url: http://h:1}]}}\nrouting: {default_model: a}\n"

REFUSED = {
    "memory": ("cache: {scope: global}", "f:4:1 cache: a cache in memory belongs to one process, and --workers is 3"),
    "memory with a file": ("cache: {scope: global, path: /tmp/c.db}", "f:4:1 cache: a cache in memory"),
    "embedded": ("cache: {backend: qdrant, path: /tmp/q}", "f:4:1 cache: a cache of an embedded qdrant belongs to one"),
    "a port": (
        "listeners: {extproc: 127.0.0.1:9188}",
        "f:4:1 listeners.metrics: the workers listen on the ports 9188 to 9190: choose another one",
    ),
    "no ports": (
        "listeners: {extproc: 127.0.0.1:65534}",
        "f:4:22 listeners.extproc: --workers is 3, and there are not",
    ),
}


@pytest.mark.parametrize(("section", "words"), REFUSED.values(), ids=REFUSED)
def test_several_workers_cannot_share_it(section, words):
    with pytest.raises(ConfigError) as refusal:
        loads(BASE + section, "f", {}, workers=3)
    (problem,) = refusal.value.problems
    assert str(problem).startswith(words)
    assert loads(BASE + section, "f", {}).config


@pytest.mark.parametrize(
    "section", ["", "cache: {backend: redis, url: redis://h:1}", "listeners: {extproc: 127.0.0.1:0}"]
)
def test_several_workers_share_the_rest(section):
    assert loads(BASE + section, "f", {}, workers=3).text == BASE + section
