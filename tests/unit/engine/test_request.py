"""What becomes of a request: sent on, changed, or answered here."""

from __future__ import annotations

import json

import pytest

from waypost.types import Forward, Reply, RequestHead, ResponseHead

CHAT = "/v1/chat/completions"
JSON = {"content-type": "application/json"}


def chat(text: str, **fields: object) -> bytes:
    return json.dumps({"model": "MoM", "messages": [{"role": "user", "content": text}], **fields}).encode()


def error(reply: Reply) -> dict:
    assert dict(reply.headers)["content-type"] == "application/json"
    return json.loads(reply.body)["error"]


def test_a_decided_request_is_edited_for_its_model(ask, engine):
    _, action = ask(engine, chat("some math", temperature=1.50))
    assert isinstance(action, Forward)
    assert json.loads(action.body) == {
        "model": "org/Math-7B",
        "messages": [{"role": "system", "content": "Be exact."}, {"role": "user", "content": "some math"}],
        "temperature": 1.5,
        "chat_template_kwargs": {"enable_thinking": True},
    }
    assert dict(action.set_headers) == {
        "x-selected-model": "math",
        "x-vsr-selected-decision": "calculate",
        "x-confidence": "0.9375",
        "x-category": "math",
        "x-gateway-destination-endpoint": "10.0.0.1:8000",
        "accept-encoding": "identity",
    }
    assert action.remove_headers == ("x-vsr-debug", "te")


def test_reasoning_is_switched_off_in_words_too(ask, engine):
    _, action = ask(engine, chat("some law", reasoning_effort="high"))
    assert json.loads(action.body)["reasoning_effort"] == "low"


def test_a_key_is_sent_and_envoy_chooses_among_several_endpoints(ask, engine):
    _, action = ask(engine, chat("some law"))
    headers = dict(action.set_headers)
    assert headers["authorization"] == "Bearer sk-law"
    assert "x-gateway-destination-endpoint" not in headers
    assert "sk-law" not in repr(engine)


def test_with_original_dst_the_endpoint_is_ours_to_choose(ask, make_engine):
    engine = make_engine(upstream="original_dst")
    chosen = {dict(ask(engine, chat("some law"))[1].set_headers)["x-gateway-destination-endpoint"] for _ in range(20)}
    assert chosen == {"10.0.0.2:8000", "10.0.0.3:8000"}


def test_where_no_decision_holds_the_default_model_answers(ask, engine, observer):
    exchange, action = ask(engine, chat("anything else"))
    assert json.loads(action.body)["model"] == "general"
    assert dict(action.set_headers).keys() == {
        "x-selected-model",
        "x-gateway-destination-endpoint",
        "accept-encoding",
    }
    exchange.on_end(aborted=True)
    (record,) = observer.records
    assert record.decision.name == ""
    assert record.selection.reason == "the default model: no decision held"


def test_an_unknown_signal_decides_nothing(ask, engine, observer):
    exchange, action = ask(engine, chat("?"))
    assert dict(action.set_headers)["x-selected-model"] == "general"
    exchange.on_end(aborted=False)
    (record,) = observer.records
    assert record.signals["domain"].unknown == "queue full"
    assert [line.split(":")[0] for line in record.decision.rejected] == ["calculate unknown", "advise unknown"]


def test_a_named_model_is_passed_to_without_a_question(ask, engine, domain):
    body = chat("some math").replace(b"MoM", b"general")
    _, action = ask(engine, body)
    assert action.body is None  # its bytes are as it wants them
    assert dict(action.set_headers)["x-selected-model"] == "general"
    assert domain.seen == []

    _, action = ask(engine, chat("some law").replace(b"MoM", b"math"))
    expected = {"model": "org/Math-7B", "messages": [{"role": "user", "content": "some law"}]}
    assert json.loads(action.body) == expected


@pytest.mark.parametrize("model", ["general", "gpt-9", "MoM"])
def test_every_request_can_be_routed(ask, make_engine, model):
    engine = make_engine(explicit_models="route")
    _, action = ask(engine, chat("some math").replace(b"MoM", model.encode()))
    assert dict(action.set_headers)["x-selected-model"] == "math"


def test_completions_get_no_field_of_chat(ask, engine):
    body = json.dumps({"model": "MoM", "prompt": "some math", "max_tokens": 1}).encode()
    exchange, action = ask(engine, body, path="/v1/completions")
    assert json.loads(action.body) == {"model": "org/Math-7B", "prompt": "some math", "max_tokens": 1}
    start = exchange.on_response_start(ResponseHead(200, JSON))
    assert dict(start.set_headers)["x-vsr-injected-system-prompt"] == "false"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, None),
        (b'{"model": "MoM", "messages": []}', 400, "messages"),
        (chat("hi").replace(b"MoM", b"gpt-9"), 404, "model"),
    ],
)
def test_a_wrong_body_is_refused_and_recorded(ask, engine, observer, body, status, code):
    exchange, reply = ask(engine, body)
    assert reply.status == status
    assert error(reply)["param"] == code
    exchange.on_end(aborted=False)
    (record,) = observer.records
    assert record.status == status
    assert record.error in (error(reply)["code"], "invalid_request_error")
    assert (record.decision, record.selection) == (None, None)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [CHAT, "/v1/completions"])
def test_our_paths_want_post(engine, observer, method, path):
    exchange = engine.open(RequestHead(method, path))
    reply = exchange.on_headers()
    assert (reply.status, error(reply)["code"]) == (405, "method_not_allowed")
    exchange.on_end(aborted=False)
    assert (observer.records[0].status, observer.records[0].error) == (405, "method_not_allowed")


def test_the_models_are_listed_the_virtual_ones_first(engine, observer):
    exchange = engine.open(RequestHead("GET", "/v1/models"))
    reply = exchange.on_headers()
    assert reply.status == 200
    listed = json.loads(reply.body)
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == ["MoM", "auto", "math", "law", "general"]
    assert listed["data"][0] == {"id": "MoM", "object": "model", "created": 1_700_000_000, "owned_by": "waypost"}
    exchange.on_end(aborted=False)
    assert observer.records[0].status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/embeddings"),
        ("OPTIONS", CHAT),
        ("GET", "/v1/models/math"),
        ("DELETE", "/v1/models"),
        ("GET", "/"),
        ("POST", "/v2"),
    ],
)
def test_what_is_not_ours_goes_to_the_default_model_as_it_is(engine, observer, method, path):
    exchange = engine.open(RequestHead(method, path, {"x-vsr-debug": "true"}))
    action = exchange.on_headers()
    assert action == Forward(
        (("x-selected-model", "general"), ("x-gateway-destination-endpoint", "10.0.0.4:80")), ("x-vsr-debug",)
    )
    start = exchange.on_response_start(ResponseHead(201, JSON))
    assert (start.set_headers, start.read_body) == ((), False)
    exchange.on_end(aborted=False)
    (record,) = observer.records
    assert (record.status, record.requested_model, record.selection) == (201, "", None)


def test_a_key_is_for_its_model_alone_and_not_for_other_paths_of_the_account(make_engine):
    engine = make_engine(default_model="law")
    action = engine.open(RequestHead("GET", "/v1/files")).on_headers()
    assert isinstance(action, Forward)
    assert dict(action.set_headers) == {"x-selected-model": "law"}
