import json
from typing import Any

import pytest

from waypost.errors import BadRequest
from waypost.wire.document import Document
from waypost.wire.edits import Edits
from waypost.wire.encode import Written
from waypost.wire.tools import read_offer, set_offer

MESSAGES = '"messages": [{"role": "user", "content": "hi"}]'
TOOLS = '[ {"type":"function","function":{"name":"a","x":1.0}},  {"type":"function","function":{"name":"b","n":1e3}} ]'
NEW = Written('{ "type":"function",\r\n  "function":{"name":"new","parameters":{"most":1e3,"why":"\\u00e9"}} }')


def document(*members: str) -> Document:
    return Document.parse(f"{{{', '.join((MESSAGES, *members))}}}".encode())


@pytest.mark.parametrize(
    "members, free",
    [
        (('"tool_choice": "auto"', f'"tools": {TOOLS}'), True),
        ((f'"tools": {TOOLS}',), True),
        (('"tool_choice": null', f'"tools": {TOOLS}'), True),
        (('"tool_choice": "auto"',), True),
        ((), False),
        (('"tools": []',), False),
        (('"tool_choice": "required"', f'"tools": {TOOLS}'), False),
        (('"tool_choice": "none"', f'"tools": {TOOLS}'), False),
        (('"tool_choice": {"type": "function", "function": {"name": "a"}}', f'"tools": {TOOLS}'), False),
        (('"tool_choice": {"type": "allowed_tools"}', f'"tools": {TOOLS}'), False),
        (('"tool_choice": 7', f'"tools": {TOOLS}'), False),
        (('"tools": [1]',), False),
        (('"tool_choice": "auto"', '"functions": [{"name": "a"}]'), False),
    ],
)
def test_the_choice_is_the_models_or_not(members: tuple[str, ...], free: bool) -> None:
    assert read_offer(document(*members)).free is free


def test_tools_that_were_used() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "x", "name": "no"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "called"}}, 3, {}]},
        {"role": "assistant", "tool_calls": [{"custom": {"name": "custom", "input": ""}}]},
        {"role": "assistant", "function_call": {"name": "legacy", "arguments": "{}"}},
        {"role": "assistant", "tool_calls": None, "name": "no"},
        {"role": "tool", "name": "answered", "content": ""},
        {"role": "function", "name": "old", "content": ""},
    ]
    offer = read_offer(Document.parse(json.dumps({"messages": messages}).encode()))
    assert offer.used == {"called", "custom", "legacy", "answered", "old"}


@pytest.mark.parametrize(
    "kept, added, tools",
    [
        ({0, 1}, [], TOOLS),
        ({0}, [], '[ {"type":"function","function":{"name":"a","x":1.0}} ]'),
        ({1}, [], '[ {"type":"function","function":{"name":"b","n":1e3}} ]'),
        (
            {1},
            [NEW],
            f'[ {{"type":"function","function":{{"name":"b","n":1e3}}}},{NEW.text} ]',
        ),
        (set(), [NEW], f"[{NEW.text}]"),
        (set(), [NEW, NEW], f"[{NEW.text},{NEW.text}]"),
    ],
)
def test_every_tool_goes_out_as_it_was_written(kept: set[int], added: list[Written], tools: str) -> None:
    before = document('"seed": 1.50', f'"tools" : {TOOLS}', '"x":  "\\u00e9"')
    edits = Edits(before)
    set_offer(edits, kept, added)
    assert edits.render().decode() == before.text.replace(TOOLS, tools)


@pytest.mark.parametrize("tools", ["null", "[]"])
def test_tools_are_added_where_there_were_none(tools: str) -> None:
    edits = Edits(document(f'"tools": {tools}'))
    set_offer(edits, (), [NEW])
    assert f'"tools": [{NEW.text}]' in edits.render().decode()


def test_tools_are_added_where_the_key_was_absent() -> None:
    edits = Edits(document())
    set_offer(edits, (), [NEW])
    assert f'"tools":[{NEW.text}]' in edits.render().decode()


@pytest.mark.parametrize(
    "members",
    [
        ('"tools": []', f'"tools": {TOOLS}'),
        ('"tool_choice": "auto"', '"tool_choice": "none"'),
        ('"tool_choice": "auto"', '"tool\\u005fchoice": "none"'),
        ('"parallel_tool_calls": true', '"parallel_tool_calls": false'),
    ],
)
def test_what_is_read_or_edited_stands_once(members: tuple[str, ...]) -> None:
    with pytest.raises(BadRequest) as caught:
        document(*members)
    assert caught.value.code == "duplicate_key"


def test_without_tools_nothing_speaks_of_them() -> None:
    edits = Edits(document(f'"tools": {TOOLS}', '"tool_choice": "auto"', '"parallel_tool_calls": true', '"n": 1'))
    set_offer(edits, (), [])
    assert json.loads(edits.render()) == {"messages": [{"role": "user", "content": "hi"}], "n": 1}
