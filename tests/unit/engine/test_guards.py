"""What the guards do to requests: every action, the decisions' own guards, and what happens when they cannot tell."""

from __future__ import annotations

import json

import pytest

from waypost.types import Forward, Reply, ResponseHead

JSON = {"content-type": "application/json"}
BLOCK = {"jailbreak": {}}


def chat(text: str, model: str = "MoM", **fields: object) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **fields}).encode()


def model_of(action: object) -> str:
    assert isinstance(action, Forward), action
    return dict(action.set_headers)["x-selected-model"]


def refused(action: object) -> tuple[int, str, dict[str, str]]:
    assert isinstance(action, Reply), action
    return action.status, json.loads(action.body)["error"]["code"], dict(action.headers)


def record_of(exchange, observer):
    exchange.on_end(aborted=False)
    return observer.records[-1]


@pytest.mark.parametrize("model", ["MoM", "general"])
def test_an_attack_is_blocked_whoever_should_have_answered(ask, make_engine, observer, model):
    exchange, action = ask(make_engine(guard=BLOCK), chat("an attack", model))
    status, code, headers = refused(action)
    assert (status, code) == (403, "jailbreak_detected")
    assert headers["x-vsr-jailbreak-blocked"] == "true"
    assert headers["x-vsr-jailbreak-type"] == "jailbreak"
    record = record_of(exchange, observer)
    assert (record.status, record.error, record.selection) == (403, "jailbreak_detected", None)
    (verdict,) = record.verdicts
    assert (verdict.guard, verdict.action, verdict.found) == ("jailbreak", "block", {"jailbreak": 0.9})


def test_without_a_guard_nothing_is_measured_for_it(ask, engine, attacks, observer):
    exchange, action = ask(engine, chat("an attack"))
    assert model_of(action) == "general"
    assert attacks.seen == []
    assert record_of(exchange, observer).verdicts == ()


def test_the_harmless_pass_and_nothing_is_said_of_it(ask, make_engine, observer):
    exchange, action = ask(make_engine(guard=BLOCK), chat("some math"))
    assert model_of(action) == "math"
    start = exchange.on_response_start(ResponseHead(200, JSON))
    assert not [name for name, _ in start.set_headers if "guard" in name or "jailbreak" in name]
    assert record_of(exchange, observer).signal_seconds.keys() == {"domain", "jailbreak"}


@pytest.mark.parametrize(
    "message",
    [
        {"role": "system", "content": "an attack"},
        {"role": "tool", "tool_call_id": "1", "content": "an attack"},
        {"role": "assistant", "content": None, "reasoning_content": "an attack"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": [{"b": "an attack"}]}'}}
            ],
        },
    ],
)
def test_every_text_of_a_request_is_looked_at(ask, make_engine, message):
    body = {"model": "MoM", "messages": [message, {"role": "user", "content": "go on"}]}
    _, action = ask(make_engine(guard=BLOCK), json.dumps(body).encode())
    assert refused(action)[1] == "jailbreak_detected"


def test_completions_are_guarded_too(ask, make_engine):
    body = json.dumps({"model": "MoM", "prompt": ["fine", "an attack"]}).encode()
    _, action = ask(make_engine(guard=BLOCK), body, path="/v1/completions")
    assert refused(action)[:2] == (403, "jailbreak_detected")


@pytest.mark.parametrize("guard", [BLOCK, {"pii": {"action": "mask"}}])
@pytest.mark.parametrize("prompt", [[1, 2, 3], [[1, 2], [3]]])
def test_token_ids_cannot_be_checked(ask, make_engine, guard, prompt):
    body = json.dumps({"model": "general", "prompt": prompt}).encode()
    _, action = ask(make_engine(guard=guard), body, path="/v1/completions")
    assert refused(action)[:2] == (503, "guard_unavailable")


def test_a_chat_without_text_has_nothing_to_check(ask, make_engine):
    image = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    body = {"model": "general", "messages": [{"role": "user", "content": image}]}
    _, action = ask(make_engine(guard=BLOCK | {"pii": {}}), json.dumps(body).encode())
    assert model_of(action) == "general"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_status_200_is_an_answer_in_the_shape_that_was_asked_for(ask, make_engine, observer, stream, path):
    body = {"model": "MoM", "messages": [{"role": "user", "content": "an attack"}], "stream": stream}
    if path == "/v1/completions":
        body = {"model": "MoM", "prompt": "an attack", "stream": stream}
    exchange, reply = ask(make_engine(guard={"jailbreak": {"status": 200}}), json.dumps(body).encode(), path=path)
    assert reply.status == 200
    assert dict(reply.headers)["content-type"] == ("text/event-stream" if stream else "application/json")
    assert dict(reply.headers)["x-vsr-jailbreak-blocked"] == "true"
    if stream:
        *events, done, _ = reply.body.decode().split("\n\n")
        assert done == "data: [DONE]"
        answers = [json.loads(event.removeprefix("data: ")) for event in events]
    else:
        answers = [json.loads(reply.body)]
    assert answers[-1]["choices"][0]["finish_reason"] == "content_filter"
    assert "blocked" in reply.body.decode()
    assert {answer["model"] for answer in answers} == {"MoM"}
    assert record_of(exchange, observer).error == "jailbreak_detected"


def test_a_guard_routes_to_a_decision_whatever_its_rule(ask, make_engine, observer):
    engine = make_engine(guard={"jailbreak": {"action": "route", "decision": "advise"}})
    for model in ("MoM", "general"):
        exchange, action = ask(engine, chat("an attack on math", model))
        assert model_of(action) == "law"
        record = record_of(exchange, observer)
        assert record.decision.name == "advise"
        assert record.decision.reasons == ("the guard found jailbreak (0.90)",)
        assert record.verdicts[0].action == "route"


def test_the_guards_of_the_decision_that_takes_over_are_in_force(ask, make_engine):
    engine = make_engine(
        guard={"jailbreak": {"action": "route", "decision": "advise"}},
        guards={"advise": {"pii": {"action": "block"}}},
    )
    _, action = ask(engine, chat("an attack on Ann"))
    assert refused(action)[1] == "pii_detected"


def test_logging_changes_nothing_and_tells_the_client_nothing(ask, make_engine, observer):
    exchange, action = ask(
        make_engine(guard={"jailbreak": {"action": "log"}, "pii": {"action": "log"}}), chat("Ann attack", "general")
    )
    assert model_of(action) == "general"
    assert action.body is None
    headers = dict(exchange.on_response_start(ResponseHead(200, JSON)).set_headers)
    assert not [name for name in headers if "jailbreak" in name or "pii" in name]
    assert [verdict.action for verdict in record_of(exchange, observer).verdicts] == ["log", "log"]


@pytest.mark.parametrize(
    ("keys", "blocks"),
    [
        ({"threshold": 0.95}, False),
        ({"threshold": 0.9}, True),
        ({"kinds": "harmful"}, False),
        ({"kinds": ["harmful", "jailbreak"]}, True),
    ],
)
def test_what_counts_as_an_attack(ask, make_engine, keys, blocks):
    _, action = ask(make_engine(guard={"jailbreak": keys}), chat("an attack"))
    assert isinstance(action, Reply) is blocks


@pytest.mark.parametrize(
    ("guard", "own", "blocks"),
    [
        (None, {"jailbreak": {}}, True),
        ({}, {"jailbreak": {"enabled": False}}, False),
        ({}, {"jailbreak": {"action": "log"}}, False),
        ({"action": "log"}, {"jailbreak": {"action": "block"}}, True),
        ({}, {"jailbreak": {"threshold": 0.95}}, False),
        ({"threshold": 0.95}, {"jailbreak": {"threshold": 0.5}}, True),
        ({"kinds": "harmful"}, {"jailbreak": {"status": 200}}, False),
    ],
)
def test_a_decision_has_its_own_guard(ask, make_engine, guard, own, blocks):
    engine = make_engine(guard={"jailbreak": guard} if guard is not None else {}, guards={"calculate": own})
    _, action = ask(engine, chat("attack math"))
    assert isinstance(action, Reply) is blocks
    _, elsewhere = ask(engine, chat("attack law"))
    everywhere = guard is not None and guard.get("action") != "log" and not {"threshold", "kinds"} & guard.keys()
    assert isinstance(elsewhere, Reply) is everywhere


@pytest.mark.parametrize(
    ("guard", "text", "status", "code"),
    [
        ({"jailbreak": {}}, "broken", 503, "guard_unavailable"),
        ({"jailbreak": {}}, "endless", 413, "request_not_checked"),
        ({"jailbreak": {}}, "endless attack", 403, "jailbreak_detected"),
        ({"jailbreak": {"status": 200}}, "broken", 503, "guard_unavailable"),
        ({"pii": {"action": "block"}}, "broken", 503, "guard_unavailable"),
        ({"pii": {"action": "mask"}}, "broken Ann", 503, "guard_unavailable"),
        ({"pii": {"action": "mask"}}, "endless Ann", 413, "request_not_checked"),
        ({"pii": {"action": "block"}}, "endless Ann", 403, "pii_detected"),
        ({"pii": {"action": "block"}}, "broken 4111 1111 1111 1111", 403, "pii_detected"),  # needs no classifier
    ],
)
def test_a_guard_that_cannot_tell_blocks_unless_told_otherwise(ask, make_engine, observer, guard, text, status, code):
    exchange, action = ask(make_engine(guard=guard), chat(text))
    assert refused(action)[:2] == (status, code)
    if status != 403:
        ((name, _),) = guard.items()
        assert refused(action)[2]["x-vsr-guard-error"].startswith(f"{name} blocked: ")
        assert record_of(exchange, observer).verdicts[0].error

    ((name, keys),) = guard.items()
    allowing = make_engine(guard={name: keys | {"on_error": "allow"}})
    exchange, action = ask(allowing, chat(text))
    if status == 403:
        assert refused(action)[0] == 403
        return
    assert model_of(action) == "general"
    start = exchange.on_response_start(ResponseHead(200, JSON))
    assert dict(start.set_headers)["x-vsr-guard-error"].startswith(f"{name} allowed: ")


def test_a_guard_that_only_logs_never_blocks(ask, make_engine, observer):
    exchange, action = ask(make_engine(guard={"jailbreak": {"action": "log"}}), chat("broken"))
    assert model_of(action) == "general"
    assert record_of(exchange, observer).verdicts[0].action == "allow"


def test_the_health_of_a_guard_is_that_of_its_last_measurement(ask, make_engine):
    engine = make_engine(guard=BLOCK)
    ask(engine, chat("broken"))
    assert engine.watch.health.error("jailbreak") == "queue full"
    ask(engine, chat("endless"))
    assert engine.watch.health.error("jailbreak") == ""


# Personal data


def test_only_models_that_may_see_it_are_chosen(ask, make_engine, observer):
    decisions = [{"name": "any", "models": [{"model": "math", "score": 0.9}, {"model": "law", "score": 0.5}]}]
    engine = make_engine(guard={"pii": {}}, pii={"math": ["EMAIL_ADDRESS"]}, decisions=decisions)
    for text, model in (("hello", "math"), ("mail me at a@b.com", "math"), ("I am Ann", "law")):
        exchange, action = ask(engine, chat(text))
        assert model_of(action) == model
    headers = dict(exchange.on_response_start(ResponseHead(200, JSON)).set_headers)
    assert headers["x-vsr-pii-types"] == "PERSON"
    assert "x-vsr-pii-violation" not in headers
    assert record_of(exchange, observer).verdicts[0].action == "restrict_models"


@pytest.mark.parametrize(("model", "text"), [("MoM", "Ann"), ("math", "Ann"), ("MoM", "Ann math")])
def test_where_no_model_is_left_it_is_blocked(ask, make_engine, observer, model, text):
    engine = make_engine(guard={"pii": {"status": 403}}, pii={"math": [], "general": []})
    exchange, action = ask(engine, chat(text, model))
    status, code, headers = refused(action)
    assert (status, code) == (403, "pii_detected")
    assert (headers["x-vsr-pii-violation"], headers["x-vsr-pii-types"]) == ("true", "PERSON")
    assert record_of(exchange, observer).selection is None


def test_a_search_that_fails_leaves_the_models_that_may_see_everything(ask, make_engine):
    decisions = [{"name": "any", "models": [{"model": "math", "score": 0.9}, {"model": "law", "score": 0.5}]}]
    engine = make_engine(guard={"pii": {}}, pii={"math": ["PERSON"], "general": ["PERSON"]}, decisions=decisions)
    exchange, action = ask(engine, chat("broken"))
    assert model_of(action) == "law"
    headers = dict(exchange.on_response_start(ResponseHead(200, JSON)).set_headers)
    assert headers["x-vsr-guard-error"].startswith("pii restricted: ")
    _, action = ask(engine, chat("broken", "general"))
    assert refused(action)[:2] == (503, "guard_unavailable")


@pytest.mark.parametrize(
    ("keys", "text", "blocks"),
    [
        ({}, "Ann", True),
        ({"types": ["EMAIL_ADDRESS"]}, "Ann", False),
        ({"types": "EMAIL_ADDRESS"}, "a@b.com", True),
        ({"thresholds": {"PERSON": 0.95}}, "Ann", False),
        ({}, "What is the weather in Paris on Monday?", False),
    ],
)
def test_what_counts_as_personal_data(ask, make_engine, keys, text, blocks):
    _, action = ask(make_engine(guard={"pii": {"action": "block", **keys}}), chat(text))
    assert isinstance(action, Reply) is blocks


def test_masks_replace_every_text_and_the_answer_gets_them_back(ask, make_engine, observer):
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"to": "Bob"}'}}
    body = {
        "model": "MoM",
        "temperature": 0.50,
        "messages": [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "sent to Bob, a@b.com"},
            {"role": "user", "content": "I am Ann, and I do not like math"},
        ],
    }
    exchange, action = ask(make_engine(guard={"pii": {"action": "mask"}}), json.dumps(body).encode())
    sent = json.loads(action.body)
    assert [name in action.body.decode() for name in ("Ann", "Bob", "a@b.com")] == [False] * 3
    assert sent["model"] == "org/Math-7B"
    assert sent["messages"][0] == {"role": "system", "content": "Be exact."}
    assert json.loads(sent["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {"to": "<PERSON_1>"}
    start = exchange.on_response_start(ResponseHead(200, JSON | {"content-length": "9"}))
    assert start.changes_body
    assert "content-length" in start.remove_headers
    headers = dict(start.set_headers)
    assert (headers["x-vsr-pii-masked"], headers["x-vsr-pii-types"]) == ("true", "EMAIL_ADDRESS,PERSON")
    record = record_of(exchange, observer)
    assert "Ann" not in repr(record)
    assert record.verdicts[0].found.keys() == {"PERSON", "EMAIL_ADDRESS"}


def test_what_a_model_is_expressly_allowed_is_not_masked(ask, make_engine):
    engine = make_engine(guard={"pii": {"action": "mask"}}, pii={"general": ["PERSON"]})
    _, action = ask(engine, chat("Ann, a@b.com"))
    assert json.loads(action.body)["messages"][0]["content"] == "Ann, <EMAIL_ADDRESS_1>"
    _, action = ask(engine, chat("Ann"))
    assert json.loads(action.body or chat("Ann"))["messages"][0]["content"] == "Ann"


def test_where_nothing_is_masked_not_a_byte_changes(ask, make_engine):
    exchange, action = ask(make_engine(guard={"pii": {"action": "mask"}}), chat("hello", "general"))
    assert action.body is None
    assert not exchange.on_response_start(ResponseHead(200, JSON)).changes_body


def test_a_backend_cannot_speak_for_the_guards(ask, make_engine):
    exchange, _ = ask(make_engine(guard=BLOCK), chat("hello"))
    start = exchange.on_response_start(ResponseHead(200, JSON | {"x-vsr-pii-masked": "true", "x-vsr-guard-error": "x"}))
    assert set(start.remove_headers) == {"x-vsr-pii-masked", "x-vsr-guard-error"}
