"""Workers and the Redis that they share are killed, stopped and starved, one by one and together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from serving import watched

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

WORKERS = 2
ALL = {"alive": WORKERS, "wanted": WORKERS}
INSIDE = {"503 router_unavailable", "RemoteProtocolError"}
"""What those see whose request, or answer, was in a worker that died."""
LAST = 2
"""How many of one user fail once it has ended: what was in it, and what Envoy sent before it heard of that end."""


@pytest.fixture(scope="module")
def redis(redis_servers):
    with redis_servers() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(serve, echo, settings, redis):
    """The router of all tests."""
    cache = {"backend": "redis", "url": redis.url, "timeout": "250ms", "scope": "user"}
    return await serve(settings(await echo(), cache=cache), f"--workers={WORKERS}")


@pytest_asyncio.fixture(loop_scope="session")
async def router(shared):
    """It, whole."""
    await shared.until_ready(workers=ALL)
    await shared.until_envoy("cluster.extproc.membership_healthy", WORKERS)  # it hears of a new one at its next check
    return shared


async def kill(pid: int, users) -> None:
    """Kill a worker, and begin a new count when it has ended: until then it can still be connected to."""
    async with watched(pid) as gone:
        os.kill(pid, signal.SIGKILL)
        await gone()
    assert users.failures <= INSIDE
    users.forget()


async def remembers(router, users) -> None:
    """Wait for hits in the cache."""
    before = await router.metric("llm_cache_hits_total")
    async with asyncio.timeout(60):
        while await router.metric("llm_cache_hits_total") <= before:
            await users.since(4)


async def test_a_killed_worker_takes_only_its_own_requests_along(router, load):
    before = router.workers()
    async with load(router.url, users=6) as users:
        await kill(before[0], users)
        await users.since()
        await router.until_ready(workers=ALL)
        await users.until_steady()
        await remembers(router, users)
        assert users.failures <= INSIDE
        assert sum(users.counts[each] for each in INSIDE) <= LAST * 6
    after = router.workers()
    assert (after[0] != before[0], after[1] == before[1]) == (True, True)


async def test_a_stopped_worker_is_left_out(router, load):
    worker = router.workers()[0]
    async with load(router.url, users=6, timeout=2) as users:
        users.forget()
        os.kill(worker, signal.SIGSTOP)
        try:
            await users.since()
            await users.until_steady(32)
        finally:
            with contextlib.suppress(ProcessLookupError):  # on a slow machine the supervisor has replaced it
                os.kill(worker, signal.SIGCONT)
        await router.until_ready(workers=ALL)
        await users.until_steady()
        assert users.failures <= INSIDE | {"ReadTimeout"}


async def test_a_worker_without_memory_fails_alone_and_recovers(router, load):
    worker = router.workers()[0]
    async with load(router.url, padding="x" * 2**22) as users:
        users.forget()
        pages = int(Path(f"/proc/{worker}/statm").read_text().split()[0])
        resource.prlimit(worker, resource.RLIMIT_AS, (pages * resource.getpagesize(), resource.RLIM_INFINITY))
        async with asyncio.timeout(60):
            while not users.failures:
                await users.since(8)
        await users.since()
        with contextlib.suppress(ProcessLookupError):  # it may have died of it
            resource.prlimit(worker, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await router.until_ready(workers=ALL)
        await users.until_steady(32)
        assert users.failures <= INSIDE | {"500 internal_error", "503 guard_unavailable"}


@pytest.mark.parametrize("gone", ["killed", "stopped"])
async def test_without_redis_every_request_goes_to_a_model(router, redis, load, gone):
    async with load(router.url) as users:
        await remembers(router, users)
        users.forget()
        errors = await router.metric("llm_cache_operations_total", status="error")
        redis.kill() if gone == "killed" else redis.hang()
        while await router.metric("llm_cache_operations_total", status="error") <= errors:
            await users.since()
        await users.since()
        redis.start() if gone == "killed" else redis.go_on()
        await remembers(router, users)
        await users.until_steady()
        assert users.failures == set()


async def test_redis_gone_and_a_worker_killed_at_once(router, redis, load):
    async with load(router.url) as users:
        redis.kill()
        await kill(router.workers()[1], users)
        await users.since()
        await router.until_ready(workers=ALL)  # it starts without Redis, too
        await users.since()
        redis.start()
        await remembers(router, users)
        await users.until_steady()
        assert users.failures <= INSIDE
        assert sum(users.counts[each] for each in INSIDE) <= LAST * 4


async def test_a_killed_supervisor_leaves_nothing_behind(serve, router, load):
    async with load(router.url) as users:
        users.forget()
        children = router.children()
        assert len(children) == WORKERS + 1
        async with watched(*children) as gone:
            router.process.kill()
            assert await router.process.wait() == -signal.SIGKILL
            await gone()
        await serve(router.config, f"--workers={WORKERS}")  # on the same ports, as whoever supervises it would
        await users.until_steady()
        assert users.failures <= {"ConnectError", "ReadError", "RemoteProtocolError"} | INSIDE
