"""What clients may take up: connections, and the time of a request. The real Envoy keeps them within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import json

import httpx
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAT = "/v1/chat/completions"
MOST = 4


def chat(text: str, **fields: object) -> dict:
    return {"model": "MoM", "messages": [{"role": "user", "content": text}], **fields}


@contextlib.asynccontextmanager
async def client(router, body: bytes, *, of: int):
    """Send a head and the first bytes of a body that is said to have ``of`` of them; yields reader and writer."""
    host, _, port = router.config["listeners"]["http"].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {CHAT} HTTP/1.1\r\nhost: waypost\r\ncontent-type: application/json\r\ncontent-length: {of}\r\n\r\n"
    writer.write(head.encode() + body)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize("request_body", ["buffered", "full_duplex_streamed"])
async def test_a_slow_body_is_given_up_and_a_slow_answer_is_not(serve, simple, backend, request_body):
    gate, late = asyncio.Event(), asyncio.Event()
    a, b = await backend(name="a", gates={1: gate}), await backend(name="b", before=late)
    bounds = {"receive_timeout": "500ms", "message_timeout": "2s", "request_body": request_body}
    router = await serve(simple({"a": [a.url], "b": [b.url]}, envoy=bounds))
    async with router.http.stream("POST", CHAT, json=chat("@a", stream=True)) as running:
        lines = running.aiter_lines()
        await anext(lines)
        waiting = asyncio.create_task(router.http.post(CHAT, json=chat("@b")))
        await b.wait_for(1)
        async with asyncio.timeout(60), client(router, b'{"model": "MoM"', of=1000) as (reader, _):
            answer = (await reader.read()).decode()
        assert answer.startswith("HTTP/1.1 408 ")
        assert json.loads(answer[answer.index("{") : answer.rindex("}") + 1])["error"] == {
            "message": "The request did not arrive in time.",
            "type": "invalid_request_error",
            "param": None,
            "code": "request_timeout",
        }
        gate.set()
        late.set()
        assert [line async for line in lines if line][-1] == "data: [DONE]"
        assert "Hello from b" in (await waiting).text


async def test_one_connection_too_many_is_closed_and_the_others_go_on(serve, simple, backend):
    a = await backend(name="a")
    router = await serve(simple({"a": [a.url]}, envoy={"max_connections": MOST}))
    body = json.dumps(chat("@a")).encode()
    async with asyncio.timeout(60):
        async with contextlib.AsyncExitStack() as stack:
            opening = [client(router, body[:-1], of=len(body)) for _ in range(MOST)]
            admitted = [await stack.enter_async_context(each) for each in opening]
            for _ in range(3):
                async with client(router, body, of=len(body)) as (reader, _):
                    with contextlib.suppress(ConnectionResetError):
                        assert await reader.read() == b""
            for reader, writer in admitted:
                writer.write(body[-1:])
                assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        await until_there_is_room(router)


async def until_there_is_room(router) -> None:
    while True:
        with contextlib.suppress(httpx.TransportError):
            assert (await router.http.post(CHAT, json=chat("@a"))).status_code == 200
            return
