"""``waypost chat`` and a running router."""

from __future__ import annotations

import asyncio
import signal

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def chat(road, waypost_command):
    """Start ``waypost chat`` against the shared router."""
    running = []

    async def start(*arguments: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        url = road.router.address("http")
        running.append(
            await asyncio.create_subprocess_exec(
                waypost_command, "chat", *arguments, "--url", url, stdin=pipe, stdout=pipe, stderr=pipe
            )
        )
        return running[-1]

    yield start
    for process in running:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_a_question_is_answered_and_the_choice_is_told(road, chat):
    process = await chat("Is a verbal contract enforceable?")
    out, err = await process.communicate()
    assert (process.returncode, out.decode()) == (0, "Hello from the stream\n")
    assert err.decode().startswith("[decision=law-and-health model=law-health category=law confidence=")
    assert err.decode().endswith("reasoning=on]\n")


async def test_a_conversation_is_kept(road, chat):
    process = await chat("--model", "general")
    out, _ = await process.communicate(b"first\nsecond\n")
    assert (process.returncode, out.decode()) == (0, "Hello from the stream\n" * 2)
    _, (_, request) = road.received
    assert [message["content"] for message in request.json["messages"]] == ["first", "Hello from the stream", "second"]


async def test_an_unknown_model_is_exit_code_1(road, chat):
    process = await chat("hello", "-m", "gpt-9")
    out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert err.decode().startswith("waypost: HTTP 404: The model 'gpt-9' does not exist.")


async def test_ctrl_c_is_exit_code_130(road, chat):
    road.backends["general"].gates = {1: asyncio.Event()}
    process = await chat("Tell me a joke about cats")
    async with asyncio.timeout(60):
        assert await process.stdout.read(1) == b"H"
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in err


async def test_an_answer_that_breaks_off_is_exit_code_1(road, chat):
    general = road.backends["general"]
    general.gates = {1: asyncio.Event()}
    process = await chat("Tell me a joke about cats")
    async with asyncio.timeout(60):
        assert await process.stdout.read(1) == b"H"
        await general.stop()
        _, err = await process.communicate()
    assert process.returncode == 1
    assert b"waypost: the answer broke off: " in err
