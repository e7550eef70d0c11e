import json

import pytest

from waypost.cache.key import ask, owner_digest
from waypost.wire.document import Document

SYSTEM = {"role": "system", "content": "Be kind."}
USER = {"role": "user", "content": "Hi there"}


def of(text: str, **context):
    return ask(Document.parse(text.encode()), "chat", **({"owner": "", "policy": "p"} | context))


@pytest.mark.parametrize(
    "a, b",
    [
        ('{"model":"m","messages":[]}', '{ "messages" : [ ], "model" : "m" }'),
        ('{"messages":[],"temperature":1}', '{"messages":[],"temperature":1.0}'),
        ('{"messages":[],"temperature":100}', '{"messages":[],"temperature":1e2}'),
        ('{"messages":[],"stop":"\\u00e9"}', '{"messages":[],"stop":"é"}'),
        ('{"messages":[]}', '{"messages":[],"stream":true,"stream_options":{"include_usage":true}}'),
        ('{"messages":[]}', '{"messages":[],"metadata":{"trace":"1"},"request_id":"x"}'),
    ],
)
def test_what_does_not_matter(a, b):
    assert of(a).exact == of(b).exact


@pytest.mark.parametrize(
    "a, b",
    [
        ('{"messages":[],"temperature":1}', '{"messages":[],"temperature":"1"}'),
        ('{"messages":[],"temperature":1}', '{"messages":[],"temperature":true}'),
        ('{"messages":[],"seed":9007199254740993}', '{"messages":[],"seed":9007199254740992}'),
        ('{"messages":[],"user":"a"}', '{"messages":[],"user":"b"}'),
        ('{"messages":[],"stop":["a","b"]}', '{"messages":[],"stop":["b","a"]}'),
        ('{"messages":[],"x":1,"x":2}', '{"messages":[],"x":2}'),
        ('{"messages":[],"tools":[{"a":1,"a":2}]}', '{"messages":[],"tools":[{"a":2}]}'),
        ('{"messages":[],"unheard_of":1}', '{"messages":[]}'),
    ],
)
def test_what_matters(a, b):
    assert of(a).exact != of(b).exact


@pytest.mark.parametrize(
    "other",
    [
        {"messages": [{"role": "system", "content": "Be rude."}, USER]},
        {"messages": [SYSTEM, {"role": "user", "content": "Earlier"}, {"role": "assistant", "content": "Yes"}, USER]},
        {"messages": [SYSTEM, USER | {"name": "bob"}]},
        {
            "messages": [
                SYSTEM,
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}, USER["content"]]},
            ]
        },
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"temperature": 0.2},
        {"response_format": {"type": "json_object"}},
        {"user": "someone"},
        {"max_tokens": 5},
        {"n": 2},
    ],
)
def test_everything_but_the_question_parts(other):
    body = {"model": "auto", "messages": [SYSTEM, USER]}
    one, another = of(json.dumps(body)), of(json.dumps(body | other))
    assert one.partition("d", "m") != another.partition("d", "m")


def test_another_question_is_in_the_same_partition(asked):
    one, other = asked("Hi there"), asked("Hello there")
    assert one.exact != other.exact
    assert one.partition("d", "m") == other.partition("d", "m")
    assert one.partition("d", "m") != one.partition("e", "m")
    assert one.partition("d", "m") != one.partition("d", "n")


@pytest.mark.parametrize("context", [{"owner": owner_digest("eve")}, {"policy": "other"}])
def test_owner_and_policy_part(asked, context):
    one, other = asked(), asked(**context)
    assert one.exact != other.exact
    assert one.partition("d", "m") != other.partition("d", "m")


def test_the_requested_name_does_not_part_similar_questions(asked):
    one, other = asked(model="MoM"), asked(model="auto")
    assert one.exact != other.exact
    assert one.partition("d", "m") == other.partition("d", "m")


@pytest.mark.parametrize(
    "messages, question",
    [
        ([USER], "Hi there"),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}], "a\nb"),
        ([USER, {"role": "assistant", "content": "prefill"}], ""),
        ([USER, {"role": "tool", "content": "42", "tool_call_id": "1"}], ""),
        ([SYSTEM], ""),
        ([{"role": "user", "content": None}], ""),
    ],
)
def test_the_question_is_the_last_user_turn(messages, question):
    assert of(json.dumps({"messages": messages})).question == question


def test_a_completion_asks_its_prompt():
    def completion(prompt):
        return ask(Document.parse(json.dumps({"prompt": prompt}).encode()), "completions", owner="", policy="p")

    assert completion("Hi").question == "Hi"
    assert completion("Hi").partition("d", "m") == completion("Ho").partition("d", "m")
    assert completion(["Hi", "Ho"]).question == ""
    assert completion([1, 2]).question == ""


def test_a_question_cannot_pose_as_a_placeholder(asked):
    one = asked([{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "a"}}])
    other = asked([{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "b"}}])
    assert one.question == other.question == "x"
    assert one.partition("d", "m") != other.partition("d", "m")


def test_a_text_keeps_its_place_among_pictures(asked):
    one, two = ({"type": "image_url", "image_url": {"url": url}} for url in "ab")
    older, earlier = ({"type": "text", "text": text} for text in ("Is this one older?", "Before:"))
    between, before = asked([one, older, two]), asked([one, two, older])
    assert between.question == before.question == "Is this one older?"
    assert between.partition("d", "m") != before.partition("d", "m")
    apart, together = asked([earlier, one, older]), asked([one, earlier, older])
    assert apart.partition("d", "m") != together.partition("d", "m")


def test_where_one_of_several_texts_ends_counts(asked):
    def split(*texts):
        first, second = ({"type": "text", "text": text} for text in texts)
        return asked([first, {"type": "image_url", "image_url": {"url": "a"}}, second])

    one, other = split("Spot\nthe", "difference"), split("Spot", "the\ndifference")
    assert (one.question, one.partition("d", "m")) != (other.question, other.partition("d", "m"))


@pytest.mark.parametrize("field", ["echo", "prompt_logprobs", "return_token_ids"])
@pytest.mark.parametrize("wire, asking", [("chat", {"messages": [USER]}), ("completions", {"prompt": "Hi"})])
def test_an_answer_with_the_askers_own_words_is_for_identical_requests(field, wire, asking):
    def question(**fields):
        return ask(Document.parse(json.dumps(asking | fields).encode()), wire, owner="", policy="p").question

    assert question(**{field: True}) == ""
    assert question(**{field: False}) == question(**{field: None}) == question() != ""
    assert question(**{field: 0}) == ""


def test_owners_are_not_readable():
    assert "alice" not in owner_digest("alice")
    assert owner_digest("alice") != owner_digest("bob")
