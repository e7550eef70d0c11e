import json
from collections.abc import Callable

import pytest

from waypost.errors import BadRequest
from waypost.types import Message, Request
from waypost.wire import chat
from waypost.wire.document import Document

USER = {"role": "user", "content": "hi"}


def test_a_whole_request_is_read(chat_document: Callable[..., Document]) -> None:
    document = chat_document(
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        {"role": "user", "content": [{"type": "text", "text": "What is"}, {"type": "text", "text": "this?"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {}}]},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
        {"role": "function", "name": "f", "content": "43"},
        {"role": "assistant"},
        stream=True,
        tools=[{"type": "function"}, {"type": "function"}],
    )
    assert chat.read(document) == Request(
        wire="chat",
        model="MoM",
        messages=(
            Message("system", "Be brief."),
            Message("developer", "Be kind."),
            Message("user", "What is\nthis?"),
            Message("assistant", ""),
            Message("tool", "42"),
            Message("function", "43"),
            Message("assistant", ""),
        ),
        user_text="What is\nthis?",
        stream=True,
        tools=2,
    )


@pytest.mark.parametrize(
    "parts, text",
    [
        ([], ""),
        ([{"type": "image_url", "image_url": {"url": "data:"}}], ""),
        ([{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}], "a\nb"),
        ([{"type": "input_text", "text": "a"}], "a"),
        ([{"text": "a"}], "a"),
        (["a", "b"], "a\nb"),
        ([{"type": "new", "text": 1}], ""),
        ([{"type": "text", "text": "x\ud800y"}], "x\ufffdy"),
        ([{"type": "text", "text": "\ud83d\ude00"}], "😀"),
    ],
)
def test_content_parts(chat_document: Callable[..., Document], parts: object, text: str) -> None:
    request = chat.read(chat_document({"role": "user", "content": parts}))
    assert request.messages == (Message("user", text),)
    assert request.user_text.encode().decode() == text


@pytest.mark.parametrize(
    "fields, text",
    [
        ({"tool_calls": [{"function": {"arguments": '{"q": "a", "n": 1, "in": [{"p": "b\\u0063"}]}'}}]}, "hi\na\nbc"),
        ({"tool_calls": [{"function": {"arguments": "no JSON"}}, {"custom": {"input": "x"}}]}, "hi\nno JSON\nx"),
        ({"function_call": {"name": "f", "arguments": '{"q": "a"}'}}, "hi\na"),
        ({"content": None, "function_call": {"arguments": '"a"'}}, "a"),
        ({"tool_calls": [{"function": {"arguments": ""}}, {"function": {}}, {}, None, 1]}, "hi"),
        ({"tool_calls": "x", "function_call": 1}, "hi"),
    ],
)
def test_arguments_of_tool_calls_are_texts(
    chat_document: Callable[..., Document], fields: dict[str, object], text: str
) -> None:
    request = chat.read(chat_document({"role": "assistant", "content": "hi", **fields}))
    assert request.messages == (Message("assistant", text),)


@pytest.mark.parametrize(
    "messages, text",
    [
        ([{"role": "user", "content": "one"}, {"role": "assistant", "content": "x"}, USER], "hi"),
        ([USER, {"role": "assistant", "content": "x"}], "hi"),
        ([{"role": "system", "content": "one"}, {"role": "assistant", "content": "two"}], "one\ntwo"),
        ([{"role": "system", "content": "one"}, {"role": "user", "content": None}], "one"),
        ([{"role": "user", "content": None}], ""),
    ],
)
def test_the_text_that_is_classified(chat_document: Callable[..., Document], messages: list[object], text: str) -> None:
    assert chat.read(chat_document(*messages)).user_text == text


def test_a_lone_surrogate_in_the_model_name_can_be_written_out(chat_document: Callable[..., Document]) -> None:
    assert chat.read(chat_document(USER, model="a\udfff")).model == "a\ufffd"


@pytest.mark.parametrize("fields", [{"stream": None, "tools": None}, {"unheard_of": [1]}, {"tools": []}])
def test_optional_fields_may_be_null_or_new(chat_document: Callable[..., Document], fields: dict[str, object]) -> None:
    request = chat.read(chat_document(USER, **fields))
    assert (request.stream, request.tools) == (False, 0)


@pytest.mark.parametrize(
    "fields, param, message",
    [
        ({"model": None}, "model", "Missing required parameter: 'model'."),
        ({"model": ""}, "model", "Missing required"),
        ({"model": 1}, "model", "Invalid type for 'model': expected a string, but got an integer instead."),
        ({"model": "x" * 257}, "model", "too long"),
        ({"messages": None}, "messages", "Missing required"),
        ({"messages": []}, "messages", "at least one element"),
        ({"messages": "hi"}, "messages", "expected an array of objects, but got a string"),
        ({"messages": {}}, "messages", "but got an object"),
        ({"messages": [USER, "hi"]}, "messages[1]", "expected an object, but got a string"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role", "Missing required"),
        ({"messages": [{"role": 1}]}, "messages[0].role", "expected a string"),
        ({"messages": [{"role": "root"}]}, "messages[0].role", "Invalid value: 'root'. Supported values are: 'system'"),
        ({"messages": [USER, USER, {"role": "user", "content": 1.5}]}, "messages[2].content", "got a decimal number"),
        ({"messages": [{"role": "user", "content": {}}]}, "messages[0].content", "got an object"),
        ({"messages": [{"role": "user", "content": [1]}]}, "messages[0].content[0]", "got an integer"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text", "got null"),
        ({"messages": [USER], "stream": "yes"}, "stream", "expected a boolean"),
        ({"messages": [USER], "stream": 1}, "stream", "got an integer"),
        ({"messages": [USER], "tools": {}}, "tools", "got an object"),
        ({"messages": [USER], "tools": True}, "tools", "got a boolean"),
    ],
)
def test_what_cannot_be_interpreted_is_refused(fields: dict[str, object], param: str, message: str) -> None:
    document = Document.parse(json.dumps({"model": "MoM", **fields}).encode())
    with pytest.raises(BadRequest) as caught:
        chat.read(document)
    assert message in str(caught.value)
    assert caught.value.param == param
    assert caught.value.code


def test_a_long_unknown_role_is_not_echoed_in_full(chat_document: Callable[..., Document]) -> None:
    with pytest.raises(BadRequest) as caught:
        chat.read(chat_document({"role": "x" * 10_000}))
    assert len(str(caught.value)) < 300
