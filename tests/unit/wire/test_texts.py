import json
from collections.abc import Callable
from typing import Any

import pytest

from waypost.errors import BadRequest
from waypost.wire.document import Document
from waypost.wire.edits import Edits
from waypost.wire.texts import replace, texts


def assistant(arguments: object, **fields: object) -> dict[str, object]:
    return {
        "role": "assistant",
        "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": arguments}}],
        **fields,
    }


def found(document: Document) -> list[tuple[str, str, str]]:
    return [(place.text, place.role, place.kind) for place in texts(document)]


@pytest.mark.parametrize(
    "message, expected",
    [
        ({"role": "system", "content": "a"}, [("a", "system", "content")]),
        ({"role": "user", "content": "a", "name": "n"}, [("a", "user", "content")]),
        ({"role": "user", "content": ""}, []),
        ({"role": "user", "content": None}, []),
        (
            {"role": "user", "content": [{"type": "text", "text": "a"}, "b", {"type": "image_url", "image_url": {}}]},
            [("a", "user", "content"), ("b", "user", "content")],
        ),
        ({"role": "tool", "content": '{"k": "v"}'}, [('{"k": "v"}', "tool", "tool_result")]),
        ({"role": "function", "name": "f", "content": "r"}, [("r", "function", "tool_result")]),
        (
            {"role": "assistant", "content": "a", "reasoning_content": "b", "refusal": "c"},
            [("a", "assistant", "content"), ("b", "assistant", "reasoning"), ("c", "assistant", "refusal")],
        ),
        (assistant("not JSON {"), [("not JSON {", "assistant", "tool_arguments")]),
        (assistant("{}"), []),
        (assistant(""), []),
        (assistant('"x"'), [("x", "assistant", "tool_arguments")]),
        (assistant({"a": ["x"]}), [("x", "assistant", "tool_arguments")]),
        (
            {"role": "assistant", "function_call": {"name": "f", "arguments": '{"a":"x"}'}},
            [("x", "assistant", "tool_arguments")],
        ),
        (
            {"role": "assistant", "tool_calls": [{"type": "custom", "custom": {"name": "f", "input": "x"}}]},
            [("x", "assistant", "tool_arguments")],
        ),
        ({"role": "user", "content": "a\ud800b"}, [("a\ufffdb", "user", "content")]),
    ],
)
def test_a_message_has_texts(
    chat_document: Callable[..., Document], message: object, expected: list[tuple[str, str, str]]
) -> None:
    assert found(chat_document(message)) == expected


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ('{"a": "x", "b": {"c": ["y", 1, null, "z"]}}', ["x", "y", "z"]),
        (r'{"a\"b": "q\"\\", "c" : "\u4e2d\n"}', ['q"\\', "中\n"]),
        ('{"a": "x", "a": "y"}', ["x", "y"]),
        ('{"n": ' + "9" * 5000 + ', "a": "x"}', ["x"]),
        ('{"a": "[{", "b": "}"}', ["[{", "}"]),
        ("[" * 64 + '"x"' + "]" * 64, ["x"]),
    ],
)
def test_string_values_of_arguments_are_texts(
    chat_document: Callable[..., Document], arguments: str, expected: list[str]
) -> None:
    assert [place.text for place in texts(chat_document(assistant(arguments)))] == expected


@pytest.mark.parametrize("depth", [65, 500, 200_000])
def test_arguments_may_not_nest_too_deep(chat_document: Callable[..., Document], depth: int) -> None:
    document = chat_document(assistant("[" * depth + "]" * depth))
    with pytest.raises(BadRequest, match="64 levels"):
        texts(document)


def test_the_number_of_texts_is_bounded(chat_document: Callable[..., Document]) -> None:
    with pytest.raises(BadRequest, match="more than 65536 texts"):
        texts(chat_document(assistant(json.dumps(["x"] * 70_000))))


def test_ten_thousand_messages_are_read_and_written(chat_document: Callable[..., Document]) -> None:
    document = chat_document(*({"role": "user", "content": f"text {number}"} for number in range(10_000)))
    edits = Edits(document)
    replace(edits, [(place, place.text.upper()) for place in texts(document)])
    assert json.loads(edits.render())["messages"][9_999]["content"] == "TEXT 9999"


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({"prompt": "a", "suffix": "b"}, ["a", "b"]),
        ({"prompt": ["a", "b"]}, ["a", "b"]),
        ({"prompt": [1, 2]}, []),
        ({"prompt": [[1], [2]]}, []),
        ({"prediction": {"type": "content", "content": [{"type": "text", "text": "a"}]}}, ["a"]),
    ],
)
def test_other_fields_have_texts(fields: dict[str, Any], expected: list[str]) -> None:
    document = Document.parse(json.dumps({"model": "MoM", **fields}).encode())
    assert [place.text for place in texts(document)] == expected


def test_only_what_is_replaced_changes() -> None:
    body = (
        r'{"messages": [ {"role":"user","content":"A","x":1.10},'
        r'{"role":"assistant", "tool_calls":[{"function":{"arguments":'
        r'"{\"a\" : \"A\", \"b\":\"\\u0042\", \"n\":1e400}"}}]}]}'
    )
    document = Document.parse(body.encode())
    edits = Edits(document)
    replace(edits, [(place, '"ä') for place in texts(document) if place.text == "A"])
    expected = body.replace('"content":"A"', r'"content":"\"ä"').replace(r"\"A\"", r"\"\\\"ä\"")
    assert edits.render().decode() == expected
