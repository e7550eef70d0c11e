"""The road: from a question to the model that should answer it, checked at both ends."""

from __future__ import annotations

import json
import re

import pytest

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("road", ["buffered", "full_duplex_streamed"], indirect=True),
]

CHAT = "/v1/chat/completions"

CALCULUS = "帮我解这道微积分题:求 x^2·sin(x) 的导数"
LINKED_LIST = "Write a Python function that reverses a linked list"
CONTRACT = "Is a verbal contract enforceable?"
CATS = "Tell me a joke about cats"


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def system(text: str) -> dict:
    return {"role": "system", "content": text}


ROUTES = [
    # question, model, decision, category, reasoning, what the backend gets beside the client's own fields
    pytest.param(
        CALCULUS, "math", "math", "math", "on",
        {
            "model": "org/Math-7B",
            "messages": [system("You are a mathematician."), user(CALCULUS)],
            "chat_template_kwargs": {"enable_thinking": True},
        },
        id="math",
    ),
    pytest.param(
        LINKED_LIST, "code", "code", None, "off",
        {
            "model": "org/Code-7B",
            "messages": [system("You are a programmer."), user(LINKED_LIST)],
            "reasoning_effort": "low",
        },
        id="code",
    ),
    pytest.param(
        CONTRACT, "law-health", "law-and-health", "law", "on",
        {
            "model": "org/Law-7B",
            "messages": [system("Be careful."), user(CONTRACT)],
            "reasoning_effort": "high",
        },
        id="law",
    ),
    pytest.param(
        CATS, "general", "general", None, "off",
        {
            "model": "general",
            "messages": [user(CATS)],
            "chat_template_kwargs": {"enable_thinking": False},
        },
        id="general",
    ),
]  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("question", "model", "decision", "category", "reasoning", "expected"), ROUTES)
async def test_each_question_goes_to_its_model(road, question, model, decision, category, reasoning, expected, stream):
    body = {"model": "MoM", "messages": [user(question)], "temperature": 0.5, "stream": stream, "x_own": None}
    answer = await road.http.post(CHAT, json=body)

    assert answer.status_code == 200
    assert ("Hello from" in answer.text, answer.text.endswith("data: [DONE]\n\n")) == (not stream, stream)
    ((name, request),) = road.received
    assert (name, request.path) == (model, CHAT)
    assert request.json == body | expected
    check_headers_at_the_backend(request, road, model, decision, category)
    prompted = len(expected["messages"]) > 1
    check_headers_at_the_client(answer.headers, model, decision, category, reasoning, prompted=prompted)


def check_headers_at_the_backend(request, road, model, decision, category):
    assert request.header("x-selected-model") == model
    assert request.header("x-vsr-selected-decision") == decision
    assert 0.0 <= float(request.header("x-confidence")) <= 1.0
    assert request.header("x-gateway-destination-endpoint") == f"127.0.0.1:{road.backends[model].port}"
    if category:
        assert request.header("x-category") == category
    assert int(request.header("content-length") or len(request.body)) == len(request.body)


def check_headers_at_the_client(headers, model, decision, category, reasoning, *, prompted):
    assert headers["x-vsr-selected-model"] == model
    assert headers["x-vsr-selected-decision"] == decision
    assert headers["x-vsr-selected-reasoning"] == reasoning
    assert headers["x-vsr-injected-system-prompt"] == str(prompted).lower()
    assert 0.0 <= float(headers["x-vsr-selected-confidence"]) <= 1.0
    if category:
        assert headers["x-vsr-selected-category"] == category
    stages = re.findall(r"waypost-(\w+);dur=\d+\.\d\d", headers["server-timing"])
    assert stages == ["signal", "decide", "total"]
    assert "x-vsr-decision-reasons" not in headers


async def test_the_details_are_for_those_who_ask(road):
    body = {"model": "auto", "messages": [user(CONTRACT)]}
    answer = await road.http.post(CHAT, json=body, headers={"x-vsr-debug": "true"})
    assert "law" in answer.headers["x-vsr-decision-reasons"]
    assert "code" in answer.headers["x-vsr-decisions-rejected"]
    assert answer.headers["x-vsr-matched-domain"] == "law"
    assert answer.headers["x-vsr-selection-reason"]
    ((_, request),) = road.received
    assert request.header("x-vsr-debug") is None


async def test_bytes_that_need_no_change_are_not_changed(road):
    body = (
        '{ "n": 1.0e0, "big": 12345678901234567890123, "model" :"MoM", "messages": [{"role":"user",'
        '"content":"Tell me a joke about cats","name":"\\u00e9"}],\t"metadata":{"a":[ ],"a2":{}} }'
    )
    answer = await road.http.post(CHAT, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    ((name, request),) = road.received
    assert name == "general"
    changed = request.body.decode()
    for untouched in (
        '{ "n": 1.0e0, "big": 12345678901234567890123, "model" :"general", "messages": [{"role":"user",',
        '"content":"Tell me a joke about cats","name":"\\u00e9"}],\t"metadata":{"a":[ ],"a2":{}}',
    ):
        assert untouched in changed
    assert json.loads(changed)["chat_template_kwargs"] == {"enable_thinking": False}


async def test_the_clients_own_system_prompt_is_kept_or_replaced(road):
    own = system("Answer in French.")
    for question in (CALCULUS, CONTRACT):
        answer = await road.http.post(CHAT, json={"model": "MoM", "messages": [own, user(question)]})
        assert answer.status_code == 200
    by_model = {name: request.json["messages"] for name, request in road.received}
    assert by_model == {
        "math": [system("You are a mathematician.\n\nAnswer in French."), user(CALCULUS)],
        "law-health": [system("Be careful."), user(CONTRACT)],
    }


async def test_a_model_that_the_client_names_gets_the_request(road):
    body = {"model": "code", "messages": [user(CONTRACT)]}
    answer = await road.http.post(CHAT, json=body)
    ((name, request),) = road.received
    assert (name, request.json) == ("code", {**body, "model": "org/Code-7B"})
    assert answer.headers["x-vsr-selected-model"] == "code"
    assert "x-vsr-selected-decision" not in answer.headers
    assert request.header("x-vsr-selected-decision") is None


async def test_what_is_not_ours_passes_through_unread(road):
    body = b'\x00\xff not json "model": "MoM"'
    answer = await road.http.post("/v1/embeddings?a=%2F", content=body)
    ((name, request),) = road.received
    assert (answer.status_code, name, request.path, request.body) == (200, "general", "/v1/embeddings?a=%2F", body)
    assert "x-vsr-selected-model" not in answer.headers


async def test_spoofed_headers_are_without_effect(road):
    spoofed = {
        "x-selected-model": "math",
        "x-gateway-destination-endpoint": f"127.0.0.1:{road.backends['math'].port}",
        "x-vsr-selected-decision": "admin",
        "x-category": "admin",
        "x-confidence": "7",
    }
    for path, body in ((CHAT, {"model": "MoM", "messages": [user(CATS)]}), ("/v1/embeddings", {"model": "e"})):
        assert (await road.http.post(path, json=body, headers=spoofed)).status_code == 200
    requests = [request for name, request in road.received if name == "general"]
    assert len(requests) == len(road.received) == 2
    for request in requests:
        assert request.header("x-selected-model") == "general"
        assert request.header("x-gateway-destination-endpoint") == f"127.0.0.1:{road.backends['general'].port}"
        assert request.header("x-category") != "admin"
        assert request.header("x-confidence") != "7"
    assert requests[0].header("x-vsr-selected-decision") == "general"
    assert requests[1].header("x-vsr-selected-decision") is None
