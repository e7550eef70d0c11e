"""A router under steady load from several users, whose answers tell what they were asked: any mix-up is seen.

All users ask the same, one thing after the other, half of it with an address of their own; some get streams. The
backend says what it was sent, and by whom. So an answer is *right* when it holds its request's mark, its user's name
and address, and *wrong* when anything of another user or request is in it. What is neither is a failure, counted under
its error code: each fault declares which it may cause.

Everything lives in the session's event loop, so that one router can serve the tests of a module. These say
``pytestmark = pytest.mark.asyncio(loop_scope="session")``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest
import pytest_asyncio

from serving import PATIENCE, Json, Serving, serving

CHAT = "/v1/chat/completions"
_MARK = re.compile(r"mark-\d+-\d+")
_KEY = re.compile(r"key-of-\d+")
_LOADS = count()
_ADDRESS = re.compile(r"user\d+@example\.org")


@dataclass
class Echo:
    """A model server that says what it was sent. ``fault`` makes it misbehave, at any time."""

    fault: str = ""
    """``silent`` | ``reset`` | ``garbage`` | ``error`` | ``cut`` | ``error_midway`` | ``slow``"""
    port: int = 0
    asked: int = 0
    saw: set[str] = field(default_factory=set)
    """Addresses that reached it: none should, where they are masked."""
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**20, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Drop every connection and refuse new ones."""
        if self._server:
            self._server.close()
            for writer in tuple(self._writers):
                writer.transport.abort()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower():
                length = re.search(r"content-length: *(\d+)", head)
                body = json.loads(await reader.readexactly(int(length[1]))) if length else {}
                if not await self._answer(_KEY.search(head), body, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(
        self, key: re.Match[str] | None, body: Json, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; False when the connection must go."""
        self.asked += 1
        text = body["messages"][-1]["content"]
        self.saw.update(_ADDRESS.findall(text))
        text = f"{text} {key.group() if key else 'nobody'}"
        if self.fault == "silent":
            with contextlib.suppress(TimeoutError):  # until the router has given up
                await asyncio.wait_for(reader.read(1), PATIENCE)
            return False
        if self.fault == "reset":
            writer.transport.abort()
            return False
        if self.fault == "error":
            return await _send(writer, 500, "application/json", b'{"error": {"message": "backend broke"}}')
        if self.fault == "garbage":
            return await _send(writer, 200, "application/json", b"\x00\xff<html>not json")
        if self.fault == "slow":
            await asyncio.sleep(0.3)
        if body.get("stream"):
            return await self._stream(text, writer)
        message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [message]}
        whole = json.dumps(answer).encode()
        if self.fault in ("cut", "error_midway"):
            writer.write(_head(200, "application/json", f"content-length: {len(whole)}") + whole[:40])
            await writer.drain()
            writer.transport.abort()
            return False
        return await _send(writer, 200, "application/json", whole)

    async def _stream(self, text: str, writer: asyncio.StreamWriter) -> bool:
        writer.write(_head(200, "text/event-stream", "transfer-encoding: chunked"))
        words = text.split(" ")
        for number, word in enumerate(words):
            if number == 2 and self.fault == "cut":
                await writer.drain()
                writer.transport.abort()
                return False
            if number == 2 and self.fault == "error_midway":
                _chunk(writer, b'data: {"error": {"message": "out of memory", "code": 500}}\n\n')
                break
            _chunk(writer, b"data: %s\n\n" % json.dumps(_event(word + " ")).encode())
            await writer.drain()
        _chunk(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def _event(piece: str) -> Json:
    choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def _head(status: int, kind: str, length: str) -> bytes:
    return f"HTTP/1.1 {status} Status\r\ncontent-type: {kind}\r\n{length}\r\n\r\n".encode()


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


async def _send(writer: asyncio.StreamWriter, status: int, kind: str, body: bytes) -> bool:
    writer.write(_head(status, kind, f"content-length: {len(body)}") + body)
    await writer.drain()
    return True


@dataclass
class Load:
    """Users who ask one thing after the other. ``outcomes``: ``right``, ``wrong`` or what failed, in order."""

    url: str
    padding: str = ""
    """In each request, beside what is asked."""
    timeout: float = PATIENCE
    """Seconds that a user waits for the next bytes of an answer."""
    outcomes: list[str] = field(default_factory=list)
    number: int = field(default_factory=_LOADS.__next__)
    """Of all loads: nothing is known of a request from an earlier one."""
    wrong: list[str] = field(default_factory=list)
    """The answers that held what is not their user's."""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.outcomes)

    @property
    def failures(self) -> set[str]:
        return set(self.outcomes) - {"right"}

    def forget(self) -> None:
        """Begin a new count."""
        self.outcomes.clear()

    async def since(self, more: int = 16) -> set[str]:
        """Wait until so many more requests have ended; tell how those that failed did."""
        start = len(self.outcomes)
        try:
            async with asyncio.timeout(PATIENCE), self._changed:
                await self._changed.wait_for(lambda: len(self.outcomes) >= start + more)
        except TimeoutError:
            raise AssertionError(f"no answers: {self.counts}, lately {self.outcomes[-12:]}") from None
        return set(self.outcomes[start:]) - {"right"}

    async def until_steady(self, more: int = 16) -> None:
        """Wait until so many requests in a row are right: it has recovered."""
        try:
            async with asyncio.timeout(PATIENCE), self._changed:
                start = len(self.outcomes)
                await self._changed.wait_for(
                    lambda: len(self.outcomes) >= start + more and set(self.outcomes[-more:]) == {"right"}
                )
        except TimeoutError:
            raise AssertionError(f"not steady again: {self.counts}, lately {self.outcomes[-12:]}") from None

    async def user(self, number: int) -> None:
        """One user, until cancelled. A connection that broke is opened again with the next request."""
        headers = {"authorization": f"Bearer key-of-{number}"}
        async with httpx.AsyncClient(base_url=self.url, timeout=self.timeout, headers=headers, trust_env=False) as http:
            for turn in count():
                outcome = await self._ask(http, number, turn // 2, stream=number % 2 == 1)
                async with self._changed:
                    self.outcomes.append(outcome)
                    self._changed.notify_all()

    async def _ask(self, http: httpx.AsyncClient, user: int, turn: int, *, stream: bool) -> str:
        # Each request is sent twice, so that the cache has something to do.
        mark, address, key = f"mark-{self.number}-{turn}", f"user{user}@example.org", f"key-of-{user}"
        content = f"Please say again: {mark} for {address}" if turn % 2 else f"Please say again: {mark}"
        body = {"model": "MoM", "stream": stream, "messages": [{"role": "user", "content": content}]}
        body |= {"metadata": {"padding": self.padding}} if self.padding else {}
        try:
            answer = await http.post(CHAT, json=body)
            text = _said(answer)
        except httpx.HTTPError as error:
            return type(error).__name__
        others = {found.group() for found in _MARK.finditer(text)} - {mark}
        others |= set(_ADDRESS.findall(text)) - {address}
        others |= set(_KEY.findall(text)) - {key}
        if others:
            self.wrong.append(text)
            return "wrong"
        if answer.status_code != 200:
            return f"{answer.status_code} {_code(answer)}"
        return "right" if text.rstrip() == f"{content} {key}" else "incomplete"


def _said(answer: httpx.Response) -> str:
    if "event-stream" not in answer.headers.get("content-type", ""):
        with contextlib.suppress(ValueError, LookupError, TypeError):
            return str(answer.json()["choices"][0]["message"]["content"])
        return answer.text
    events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
    return "".join(
        choice["delta"].get("content") or "" for event in events for choice in json.loads(event).get("choices", ())
    )


def _code(answer: httpx.Response) -> str:
    with contextlib.suppress(ValueError, LookupError, TypeError):
        error = answer.json()["error"]
        return str(error.get("code") or error.get("type"))
    return "without an error object"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def echo() -> AsyncIterator[Callable[[], Awaitable[Echo]]]:
    """Start model servers, which serve until the end of the module."""
    started: list[Echo] = []

    async def start() -> Echo:
        started.append(Echo())
        await started[-1].start()
        return started[-1]

    yield start
    for each in started:
        await each.stop()
        assert each.saw == set()


@pytest.fixture(scope="session")
def settings(free_port: Callable[..., int]) -> Callable[..., Json]:
    """Build a configuration over servers of one model: personal data is masked, each user has a cache of their own."""

    def build(*servers: Echo, **sections: Any) -> Json:
        return {
            "version": 1,
            "listeners": {name: f"127.0.0.1:{free_port(2)}" for name in ("http", "extproc", "api", "metrics")},
            "models": {"echo": {"endpoints": [{"url": server.url} for server in servers], "pii": {"allow": []}}},
            "routing": {"default_model": "echo", "decisions": [{"name": "all", "models": [{"model": "echo"}]}]},
            "guard": {"pii": {"action": "mask", "types": ["EMAIL_ADDRESS"]}},
            "encoder": {"deadline": "20s"},
            "envoy": {"message_timeout": "30s", "outlier_detection": None},
            **sections,
        }

    return build


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def serve() -> AsyncIterator[Callable[..., Awaitable[Serving]]]:
    """Start routers, which serve until the end of the module: ``await serve(config, "--workers=2", env={…})``."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(config: Json, *arguments: str, env: dict[str, str] | None = None) -> Serving:
            running = await stack.enter_async_context(serving(config, *arguments, env=env or {}))
            await running.says("ready in")
            return running

        yield start


@pytest.fixture
def load() -> Callable[..., contextlib.AbstractAsyncContextManager[Load]]:
    """Put a router under load while the block runs: ``async with load(url) as users``."""

    @contextlib.asynccontextmanager
    async def run(url: str, users: int = 4, **how: Any) -> AsyncIterator[Load]:
        loaded = Load(url, **how)
        tasks = [asyncio.create_task(loaded.user(number)) for number in range(users)]
        try:
            await loaded.until_steady()
            yield loaded
            for task in tasks:
                assert not task.done(), task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        assert loaded.wrong == []

    return run
