"""The official Python client, used as its documentation says."""

from __future__ import annotations

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI

pytestmark = pytest.mark.asyncio(loop_scope="session")

CATS = [{"role": "user", "content": "Tell me a joke about cats"}]


@pytest_asyncio.fixture(loop_scope="session")
async def client(road):
    async with AsyncOpenAI(base_url=f"{road.router.address('http')}/v1", api_key="sk-x", max_retries=0) as client:
        yield client


async def test_create(client, road):
    answer = await client.chat.completions.create(model="MoM", messages=CATS)
    assert answer.choices[0].message.content == "Hello from general"
    assert answer.model == "general"
    assert answer.usage.total_tokens == 10
    ((_, request),) = road.received
    assert request.header("authorization") == "Bearer sk-x"


async def test_create_with_the_headers_that_say_why(client):
    raw = await client.chat.completions.with_raw_response.create(
        model="auto", messages=CATS, extra_headers={"x-vsr-debug": "true"}
    )
    assert raw.headers["x-vsr-selected-decision"] == "general"
    assert raw.headers["x-vsr-decision-reasons"] == "always"
    assert (await read(raw)).choices[0].message.content == "Hello from general"


async def read(raw):
    """The parsed answer, whether the client's version parses at once or when awaited."""
    parsed = raw.parse()
    return await parsed if hasattr(parsed, "__await__") else parsed


async def test_stream(client):
    stream = await client.chat.completions.create(model="MoM", messages=CATS, stream=True)
    pieces = [chunk.choices[0].delta.content async for chunk in stream]
    assert "".join(pieces) == "Hello from the stream"


async def test_list_and_retrieve_models(client, road):
    names = [model.id async for model in client.models.list()]
    assert names == ["MoM", "auto", "math", "code", "law-health", "general"]
    assert not road.received

    # We answer the list only: what a backend says of one model is passed on.
    road.backends["general"].answer = {"id": "general", "object": "model", "created": 1, "owned_by": "backend"}
    assert (await client.models.retrieve("general")).owned_by == "backend"
    ((name, request),) = road.received
    assert (name, request.path) == ("general", "/v1/models/general")


async def test_legacy_completions(client, road):
    choice = {"index": 0, "text": " world", "finish_reason": "stop", "logprobs": None}
    road.backends["code"].answer = {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1,
        "model": "org/Code-7B",
        "choices": [choice],
    }
    answer = await client.completions.create(model="MoM", prompt="A python program that says hello", max_tokens=5)
    assert answer.choices[0].text == " world"
    ((name, request),) = road.received
    assert (name, request.path) == ("code", "/v1/completions")
    expected = {"model": "org/Code-7B", "prompt": "A python program that says hello", "max_tokens": 5}
    assert request.json == expected  # nothing that only chat has


async def test_tools_and_content_parts_pass_untouched(client, road):
    tools = [
        {
            "type": "function",
            "function": {"name": "look_up", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}},
        }
    ]
    messages = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Reverse this list with python"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"q":"é"}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "reversed()"},
    ]
    call = {"id": "c2", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    road.backends["code"].answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "org/Code-7B",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
    }
    answer = await client.chat.completions.create(
        model="MoM", messages=messages, tools=tools, tool_choice="auto", parallel_tool_calls=False
    )
    assert answer.choices[0].message.tool_calls[0].function.name == "look_up"
    ((name, request),) = road.received
    assert name == "code"
    assert request.json == {
        "model": "org/Code-7B",
        "messages": [{"role": "system", "content": "You are a programmer."}, *messages],
        "tools": tools,
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "reasoning_effort": "low",
    }


async def test_error_classes(client, road):
    with pytest.raises(openai.BadRequestError) as bad:
        await client.chat.completions.create(model="MoM", messages=[])
    assert (bad.value.param, bad.value.type) == ("messages", "invalid_request_error")

    with pytest.raises(openai.NotFoundError) as unknown:
        await client.chat.completions.create(model="gpt-9", messages=CATS)
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    assert "Known models: MoM, auto, math" in unknown.value.message

    huge = [{"role": "user", "content": "x" * (50 * 2**20)}]
    with pytest.raises(openai.APIStatusError) as large:
        await client.chat.completions.create(model="MoM", messages=huge)
    assert (large.value.status_code, large.value.code) == (413, "request_too_large")
    assert not road.received


async def test_a_backend_that_is_down_is_an_internal_server_error(client, road):
    await road.backends["general"].stop()
    with pytest.raises(openai.InternalServerError) as gone:
        await client.chat.completions.create(model="MoM", messages=CATS)
    assert (gone.value.status_code, gone.value.code) == (503, "backend_unavailable")
    assert "general" in gone.value.message


async def test_an_error_of_the_backend_keeps_its_class_and_words(client, road):
    error = {"message": "Slow down.", "type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}
    road.backends["general"].status, road.backends["general"].answer = 429, {"error": error}
    with pytest.raises(openai.RateLimitError) as limited:
        await client.chat.completions.create(model="MoM", messages=CATS)
    assert limited.value.code == "rate_limit_exceeded"
    assert limited.value.response.headers["x-vsr-selected-model"] == "general"
