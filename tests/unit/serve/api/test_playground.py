"""A chat by way of the listener: what is passed on to it, and what happens when somebody does not wait."""

from __future__ import annotations

import asyncio
import contextlib
import json

import httpx
import pytest

CHAT = "/api/v1/playground/chat"
HELLO = {"messages": [{"role": "user", "content": "hello"}]}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-vsr-selected-model: a\r\nconnection: close\r\n\r\n"


class Listener:
    """Stands for Envoy: one answer to whatever it is asked, and then it waits until it is left."""

    answer = b""
    whole = True
    """Whether the answer ends by itself."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.body = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        self.body = await reader.readexactly(int(length))
        self.asked.set()
        writer.write(self.answer)
        if not self.whole:
            await reader.read()
            self.left.set()
        writer.close()


@pytest.fixture
async def listener(unused_tcp_port_factory):
    stand_in, port = Listener(), unused_tcp_port_factory()
    stand_in.address = f"127.0.0.1:{port}"
    async with await asyncio.start_server(stand_in.serve, "127.0.0.1", port):
        yield stand_in


@pytest.fixture
def path(write_config, listener):
    return write_config("a", listeners={"http": listener.address})


async def test_an_answer_and_the_headers_that_explain_it(listener, http):
    listener.answer = HEAD + b"data: [DONE]\n\n"
    answer = await http.post(CHAT, json=HELLO)
    assert (answer.status_code, answer.text) == (200, "data: [DONE]\n\n")
    assert answer.headers["x-vsr-selected-model"] == "a"
    assert json.loads(listener.body) == {
        "model": "MoM",
        **HELLO,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize("begun", [b"", HEAD, HEAD + b"data: {}\n\n"], ids=["no answer", "its head", "a piece of it"])
async def test_what_is_stopped_does_not_go_on(listener, served, begun):
    listener.answer, listener.whole = begun, False
    http = await served()
    chat = asyncio.create_task(_read(http))
    await listener.asked.wait()
    await asyncio.sleep(0.2)  # what there is of an answer has come
    assert not listener.left.is_set()
    chat.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await chat
    async with asyncio.timeout(5):
        await listener.left.wait()


async def _read(http: httpx.AsyncClient) -> None:
    async with http.stream("POST", CHAT, json=HELLO, timeout=None) as answer:
        await answer.aread()


class TestWithoutEnvoy:
    @pytest.fixture
    def path(self, write_config, unused_tcp_port):
        return write_config("a", listeners={"http": f"127.0.0.1:{unused_tcp_port}"})

    async def test_it_is_said(self, http):
        answer = await http.post(CHAT, json=HELLO)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_listener")


@pytest.mark.parametrize("number", ["NaN", "1e999"])
async def test_a_number_that_json_does_not_have(http, number):
    body = json.dumps({**HELLO, "tools": [{"a": "?"}]}).replace('"?"', number)
    answer = await http.post(CHAT, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")


async def test_half_a_character_goes_on_as_it_came(listener, http):
    listener.answer = HEAD
    body = json.dumps(HELLO).replace('"hello"', '"hello", "x": "\\ud800"')
    answer = await http.post(CHAT, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert b'"x":"\\ud800"' in listener.body
