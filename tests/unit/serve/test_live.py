"""A reload: the new engine beside the old, and the old one for as long as somebody holds it."""

from __future__ import annotations

import asyncio
import logging

import pytest
from prometheus_client import CollectorRegistry

from waypost.cache.store.memory import MemoryStore
from waypost.config.load import load
from waypost.config.observing import Observability
from waypost.errors import ConfigError, Problem, SetupError
from waypost.observe.metrics import Metrics
from waypost.observe.telemetry import Telemetry
from waypost.resources import Resources
from waypost.serve import live as module
from waypost.serve.live import Live
from waypost.types import Record, RequestHead


class Envoy:
    """Follows, or refuses; and remembers."""

    def __init__(self) -> None:
        self.followed: list[tuple[str, ...]] = []
        self.retired = 0
        self.refusal: Exception | None = None
        self.going_on: asyncio.Event | None = None

    async def follow(self, loaded) -> None:
        if self.going_on:
            await self.going_on.wait()
        if self.refusal:
            raise self.refusal
        self.followed.append(tuple(loaded.config.models))

    def retire(self) -> None:
        self.retired += 1


@pytest.fixture
def envoy() -> Envoy:
    return Envoy()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture(autouse=True)
def log_as_it_was(monkeypatch):
    monkeypatch.setattr(module.logs, "configure", lambda _: None)


@pytest.fixture
def live(load_config, metrics) -> Live:
    return Live(load_config("a"), Resources(), Telemetry(metrics, Observability()))


def reloads(metrics: Metrics, result: str) -> float:
    return sample(metrics.registry, "waypost_config_reloads_total", result=result)


def sample(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0


def counted_as(metrics: Metrics, model: str) -> bool:
    before = sample(metrics.registry, "llm_model_requests_total", model=model)
    metrics.observe(Record("/", model, 200))
    return sample(metrics.registry, "llm_model_requests_total", model=model) == before + 1


async def test_a_new_file_is_put_in_force(live, envoy, metrics, write_config, caplog):
    caplog.set_level(logging.INFO, "waypost")
    before = live.loaded.digest
    write_config("a", "b")
    await live.reload(envoy.follow, envoy.retire)
    assert envoy.followed == [("a", "b")]
    assert live.current().model_names == ("MoM", "auto", "a", "b")
    assert live.loaded.digest != before
    assert (live.error, reloads(metrics, "applied"), reloads(metrics, "rejected")) == ("", 1, 0)
    assert caplog.messages == ["configuration reloaded"]
    assert counted_as(metrics, "b")


async def test_what_the_cache_does_not_keep_is_counted(load_config, metrics, write_config, envoy):
    store = MemoryStore(max_entries=1, max_bytes=1)
    cache = {"scope": "global", "similar": False}
    live = Live(load_config("a", cache=cache), Resources(store=store), Telemetry(metrics, Observability()))
    live.current().cache.skip("truncated")
    write_config("a", "b", cache=cache)
    await live.reload(envoy.follow, envoy.retire)
    live.current().cache.skip("truncated")
    assert sample(metrics.registry, "llm_cache_write_skipped_total", reason="truncated") == 2


async def test_the_same_content_is_no_reload(live, envoy, metrics, write_config):
    engine = live.current()
    path = write_config("a")
    path.write_text(f"# a remark\n{path.read_text()}")
    await live.reload(envoy.follow, envoy.retire)
    assert live.current() is engine
    assert (envoy.followed, reloads(metrics, "applied")) == ([], 0)


async def test_envoy_follows_before_new_requests_do(live, envoy, write_config):
    envoy.going_on = asyncio.Event()
    old = live.current()
    write_config("a", "b")
    reloading = asyncio.create_task(live.reload(envoy.follow, envoy.retire))
    await asyncio.to_thread(lambda: None)  # the engine is built in a thread
    assert live.current() is old
    envoy.going_on.set()
    await reloading
    assert live.current() is not old


BROKEN = {
    "no file": (lambda path: path.unlink(), "cannot be read: no such file"),
    "no yaml": (lambda path: path.write_text("models: ["), "waypost.yaml:"),
    "a wrong value": (
        lambda path: path.write_text(path.read_text().replace('"version": 1', '"version": 7')),
        "version",
    ),
}


@pytest.mark.parametrize(("change", "words"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_file_changes_nothing_and_is_told(live, envoy, metrics, write_config, caplog, change, words):
    engine, digest = live.current(), live.loaded.digest
    path = write_config("a")
    change(path)
    await live.reload(envoy.follow, envoy.retire)
    assert live.current() is engine
    assert live.loaded.digest == digest
    assert words in live.error
    assert (envoy.followed, reloads(metrics, "rejected"), reloads(metrics, "applied")) == ([], 1, 0)
    assert all(line.startswith("reload refused, the old configuration stays: ") for line in caplog.messages)

    assert sample(metrics.registry, "waypost_config_last_reload_successful") == 0

    write_config("a")
    await live.reload(envoy.follow, envoy.retire)
    assert live.error == ""
    assert sample(metrics.registry, "waypost_config_last_reload_successful") == 1
    assert reloads(metrics, "applied") == 0  # what was in force still is


async def test_a_password_in_a_mistake_is_not_told(live, envoy, write_config, caplog):
    write_config("a").write_text("https://me:canary@host: 1\nhttps://me:canary@host: 2\n")
    await live.reload(envoy.follow, envoy.retire)
    assert "https://***@host" in live.error
    assert "canary" not in live.error + caplog.text


async def test_what_needs_a_restart_is_refused_by_name(live, envoy, write_config):
    write_config("a", "b", envoy={"concurrency": 2}, listeners={"api": "127.0.0.1:1"})
    await live.reload(envoy.follow, envoy.retire)
    assert live.error.endswith("takes effect only at a restart: listeners.api, envoy.concurrency")
    assert live.current().model_names == ("MoM", "auto", "a")


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (ConfigError([Problem("routes.json", 0, 0, "", "Envoy refuses it")]), "routes.json Envoy refuses it"),
        (SetupError("Envoy's admin interface does not answer"), "does not answer"),
        (ZeroDivisionError("oops"), "internal error: ZeroDivisionError('oops')"),
    ],
)
async def test_what_envoy_refuses_is_not_in_force(live, envoy, metrics, write_config, refusal, words):
    engine = live.current()
    envoy.refusal = refusal
    write_config("a", "b")
    await live.reload(envoy.follow, envoy.retire)
    assert live.current() is engine
    assert words in live.error
    assert reloads(metrics, "rejected") == 1
    assert not counted_as(metrics, "b")  # nor do the metrics know its models

    envoy.refusal = None
    await live.reload(envoy.follow, envoy.retire)  # the same file, asked for again
    assert live.current().model_names[-1] == "b"


async def test_a_request_keeps_its_engine_and_the_last_one_retires_it(live, envoy, write_config):
    first = live.current().open(RequestHead("POST", "/"))
    for models in (("a", "b"), ("a", "c")):
        write_config(*models)
        await live.reload(envoy.follow, envoy.retire)
        second = live.current().open(RequestHead("POST", "/")) if models[1] == "b" else second  # noqa: F821
    assert envoy.retired == 0
    assert not live.settled
    del first
    assert envoy.retired == 0  # `second` still holds the engine between the oldest and the newest
    del second
    assert envoy.retired == 1
    assert live.settled


async def test_what_another_has_read_is_put_in_force_or_raises(live, envoy, write_config):
    loaded = load(write_config("a", "b"), {})
    await live.apply(loaded, envoy.follow, envoy.retire)
    assert live.loaded is loaded
    assert live.current().model_names[-1] == "b"
    envoy.refusal = SetupError("no")
    with pytest.raises(SetupError, match="no"):
        await live.apply(load(write_config("c"), {}), envoy.follow, envoy.retire)
    assert live.loaded is loaded


async def test_two_reloads_come_one_after_the_other(live, envoy, metrics, write_config):
    write_config("a", "b")
    await asyncio.gather(*(live.reload(envoy.follow, envoy.retire) for _ in range(3)))
    assert (envoy.followed, reloads(metrics, "applied")) == ([("a", "b")], 1)
