"""Requests and answers that take their time, break off, or come in crowds."""

from __future__ import annotations

import asyncio
import json

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

BOTH = pytest.mark.parametrize("road", ["buffered", "full_duplex_streamed"], indirect=True)

CHAT = "/v1/chat/completions"
CATS = "Tell me a joke about cats"


def chat(text: str = CATS, **fields: object) -> dict:
    return {"model": "MoM", "messages": [{"role": "user", "content": text}], **fields}


def contents(sse: str) -> list[str]:
    events = [line.removeprefix("data: ") for line in sse.split("\n\n") if line]
    assert events.pop() == "[DONE]"
    return [json.loads(event)["choices"][0]["delta"]["content"] for event in events]


@BOTH
async def test_a_slow_upload_is_routed_by_its_whole_body(road):
    body = json.dumps(chat("Write a PYTHON function that reverses a linked list"), ensure_ascii=False).encode()

    async def slow():
        for start in range(0, len(body), 7):
            yield body[start : start + 7]
            await asyncio.sleep(0.005)  # lets each piece travel alone; nothing depends on it

    answer = await road.http.post(CHAT, content=slow())
    assert answer.headers["x-vsr-selected-decision"] == "code"
    ((name, request),) = road.received
    assert (name, request.json["messages"][-1]) == ("code", json.loads(body)["messages"][0])


@BOTH
async def test_each_piece_passes_before_the_next_is_written(road):
    gates = {number: asyncio.Event() for number in range(1, 5)}
    road.backends["general"].gates = gates
    async with asyncio.timeout(60), road.http.stream("POST", CHAT, json=chat(stream=True)) as answer:
        lines = answer.aiter_lines()
        seen = []
        for gate in [*gates.values(), asyncio.Event()]:
            seen.append(await anext(lines))
            assert await anext(lines) == ""
            gate.set()
        assert [line async for line in lines] == []
    assert seen[-1] == "data: [DONE]"


@BOTH
async def test_a_client_that_leaves_is_counted_and_frees_everything(road):
    before = await cancellations(road)
    general = road.backends["general"]
    general.gates = {1: asyncio.Event()}
    async with road.http.stream("POST", CHAT, json=chat(stream=True)) as answer:
        await anext(answer.aiter_lines())
        assert await road.router.metric("waypost_requests_active") == 1
    async with asyncio.timeout(60):
        await general.aborted.wait()
    await road.router.until_metric("waypost_requests_active", 0)
    assert await cancellations(road) == before + 1


@BOTH
async def test_a_client_that_leaves_before_the_answer_frees_everything(road):
    before = await cancellations(road)
    general = road.backends["general"]
    general.before = asyncio.Event()
    asking = asyncio.create_task(road.http.post(CHAT, json=chat()))
    await general.wait_for(1)
    asking.cancel()
    await asyncio.wait({asking})
    await road.router.until_metric("waypost_requests_active", 0)
    assert await cancellations(road) == before + 1
    general.before.set()


async def cancellations(road) -> float:
    return await road.router.metric("llm_request_errors_total", model="MoM", reason="cancellation")


@BOTH
async def test_200_streams_at_once_lose_nothing(road):
    served = await road.router.metric("waypost_responses_total", status="200")
    questions = [f"Tell me joke number {number} about cats" for number in range(200)]
    answers = await asyncio.gather(*(road.http.post(CHAT, json=chat(text, stream=True)) for text in questions))
    assert [answer.status_code for answer in answers] == [200] * 200
    for answer in answers:
        assert contents(answer.text) == ["Hello", " from", " the", " stream"]
    assert sorted(request.json["messages"][-1]["content"] for _, request in road.received) == sorted(questions)
    await road.router.until_metric("waypost_requests_active", 0)
    assert await road.router.metric("waypost_responses_total", status="200") == served + 200


async def test_what_a_backend_reports_is_counted(road):
    before = await road.router.metric("llm_model_completion_tokens_total", model="general")
    first = await road.router.metric("llm_model_ttft_seconds_count", model="general")
    await road.http.post(CHAT, json=chat())
    await road.router.until_metric("llm_model_completion_tokens_total", before + 3, model="general")
    assert await road.router.metric("llm_model_ttft_seconds_count", model="general") == first + 1


async def test_dead_endpoints_are_retried_and_then_a_clear_503(serve, simple, backend):
    one, two = await backend(name="one"), await backend(name="two")
    router = await serve(simple({"a": [one.url, two.url]}))
    await one.stop()
    answers = [await router.http.post(CHAT, json=chat()) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len(two.requests) == 6

    await two.stop()
    answer = await router.http.post(CHAT, json=chat(stream=True))
    assert answer.status_code == 503
    assert answer.headers["x-vsr-selected-model"] == "a"
    assert answer.json()["error"] == {
        "message": "No backend of model a is reachable. Try again later.",
        "type": "server_error",
        "param": None,
        "code": "backend_unavailable",
    }
    await router.until_metric("llm_request_errors_total", 1, model="MoM", reason="upstream_5xx")
    assert (await router.ready())[0] == 200


async def test_every_request_can_be_routed(serve, simple, backend):
    a, b = await backend(name="a"), await backend(name="b")
    routing = {"explicit_models": "route", "virtual_models": ["best"]}
    router = await serve(simple({"a": [a.url], "b": [b.url]}, routing=routing))
    for model in ("a", "best", "gpt-9"):
        answer = await router.http.post(CHAT, json=chat("@b please") | {"model": model})
        assert (answer.status_code, answer.headers["x-vsr-selected-model"]) == (200, "b")
    assert [request.json["model"] for request in b.requests] == ["b", "b", "b"]
    assert not a.requests
    # A name that a client invents is no label of its own.
    await router.until_metric("llm_model_requests_total", 1, model="other")
    assert await router.metric("llm_model_requests_total", model="gpt-9") == 0
