import asyncio

import pytest

from waypost.errors import DeadlineExceeded, Overloaded


async def test_every_message_is_read_once_the_newest_first(scripted, conversation):
    encoder, reader = scripted({})
    await reader.read(conversation("one", "two", "one", " ", "three", system="be kind"))
    assert encoder.texts == ["three", "one", "two", "be kind"]


async def test_what_the_cap_leaves_out_is_counted(scripted, conversation):
    encoder, reader = scripted({"new": {"windows": 5, "skipped": 7}}, max_windows=5)
    found = await reader.read(conversation("o" * 40, "new"))
    assert encoder.texts == ["new"]
    assert found.skipped_tokens == 7 + 10


async def test_enough_is_enough(scripted, conversation):
    encoder, reader = scripted({})
    await reader.read(conversation("one", "two"), enough=lambda encoding: True)
    assert encoder.texts == ["two"]


async def test_a_failure_is_not_hidden(scripted, conversation):
    _, reader = scripted({"two": Overloaded("full")})
    with pytest.raises(Overloaded):
        await reader.read(conversation("one", "two"))


async def test_the_whole_conversation_has_one_deadline(scripted, conversation):
    encoder, reader = scripted({}, deadline=0.01)

    async def never(text, *, until=None):
        await asyncio.Event().wait()

    encoder.encode = never
    with pytest.raises(DeadlineExceeded, match=r"0\.01 s"):
        await reader.read(conversation("one"))
