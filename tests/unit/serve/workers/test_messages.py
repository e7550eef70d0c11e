"""Messages over a pair of sockets."""

from __future__ import annotations

import asyncio
import socket

import pytest

from waypost.config.units import HostPort
from waypost.serve.workers.channel import Channel
from waypost.serve.workers.messages import (
    Drain,
    Message,
    Ready,
    Refused,
    Reload,
    Reloaded,
    Retired,
    Serve,
    Status,
    Written,
    decode,
    encode,
)

CONFIG = Written(text="version: 1\n# 问\n", path="/etc/waypost.yaml")

ALL: list[Message] = [
    Serve(config=CONFIG, address=HostPort("::1", 50051), counts="/run/counts"),
    Reload(config=CONFIG),
    Drain(notice=2.5),
    Ready(address=HostPort("127.0.0.1", 50051)),
    Refused(why="two\nlines"),
    Reloaded(settled=False),
    Retired(),
    Status(pending=3, failing={"pii": "no encoder"}),
]


@pytest.fixture
async def ends():
    ours, theirs = socket.socketpair()
    channels = await Channel.open(ours), await Channel.open(theirs)
    yield channels
    for channel in channels:
        await channel.close()


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.kind)
def test_a_message_is_one_line(message):
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == message


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b'{"kind":"dance"}\n', b'{"kind":"retired","more":1}\n'])
def test_anything_else_is_refused(line):
    with pytest.raises(ValueError, match="validation error"):
        decode(line)


async def test_messages_arrive_in_order(ends):
    ours, theirs = ends
    for message in ALL:
        ours.send(message)
    assert [await theirs.receive() for _ in ALL] == ALL


async def test_the_longest_configuration_fits(ends):
    ours, theirs = ends
    message = Reload(config=Written(text="\x01" * 2**20, path="f"))
    ours.send(message)
    assert await theirs.receive() == message


async def test_the_end_of_one_side_is_none_for_the_other(ends):
    ours, theirs = ends
    ours.send(Retired())
    await ours.close()
    assert await theirs.receive() == Retired()
    assert await theirs.receive() is None
    theirs.send(Retired())
    await asyncio.sleep(0)
    theirs.send(Retired())  # nobody hears it, and it does no harm
