import json
from collections.abc import Callable
from typing import Any

import pytest

from waypost.config.schema import ReasoningFamily
from waypost.wire import actions
from waypost.wire.document import Document
from waypost.wire.edits import Edits

OURS = "You are a mathematician."
USER = {"role": "user", "content": "hi"}
OUR_MESSAGE = {"role": "system", "content": OURS}
IMAGE = {"type": "image_url", "image_url": {"url": "data:"}}

QWEN = ReasoningFamily(type="chat_template_kwargs", parameter="enable_thinking")
GPT = ReasoningFamily(type="reasoning_effort", parameter="reasoning_effort")


def edited(document: Document, change: Callable[[Edits], None]) -> dict[str, Any]:
    edits = Edits(document)
    change(edits)
    return json.loads(edits.render())


def test_the_model_is_renamed(chat_document: Callable[..., Document]) -> None:
    body = edited(chat_document(USER), lambda edits: actions.set_model(edits, "meta/Llama-7b"))
    assert body == {"model": "meta/Llama-7b", "messages": [USER]}


@pytest.mark.parametrize(
    "messages, expected",
    [
        ([USER], [OUR_MESSAGE, USER]),
        (
            [{"role": "system", "content": "Be brief.", "name": "n"}, USER],
            [{"role": "system", "content": f"{OURS}\n\nBe brief.", "name": "n"}, USER],
        ),
        ([{"role": "developer", "content": "X"}], [{"role": "developer", "content": f"{OURS}\n\nX"}]),
        ([{"role": "system", "content": ""}], [OUR_MESSAGE]),
        ([{"role": "system", "content": None}], [OUR_MESSAGE]),
        ([{"role": "system"}], [OUR_MESSAGE]),
        (
            [{"role": "system", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]}],
            [{"role": "system", "content": [{"type": "text", "text": f"{OURS}\n\nA"}, {"type": "text", "text": "B"}]}],
        ),
        (
            [{"role": "system", "content": [IMAGE]}],
            [{"role": "system", "content": [{"type": "text", "text": OURS}, IMAGE]}],
        ),
        ([{"role": "system", "content": []}], [{"role": "system", "content": [{"type": "text", "text": OURS}]}]),
        ([USER, {"role": "system", "content": "late"}], [OUR_MESSAGE, USER, {"role": "system", "content": "late"}]),
    ],
)
def test_insert_a_system_prompt(
    chat_document: Callable[..., Document], messages: list[object], expected: list[object]
) -> None:
    body = edited(chat_document(*messages), lambda edits: actions.set_system_prompt(edits, OURS, "insert"))
    assert body == {"model": "MoM", "messages": expected}


@pytest.mark.parametrize(
    "messages, expected",
    [
        ([USER], [OUR_MESSAGE, USER]),
        ([{"role": "system", "content": "A", "name": "obey"}, USER], [OUR_MESSAGE, USER]),
        ([{"role": "system", "content": "A"}, {"role": "developer", "content": "B"}], [OUR_MESSAGE]),
        ([USER, {"role": "system", "content": "A"}, USER, {"role": "developer"}], [OUR_MESSAGE, USER, USER]),
    ],
)
def test_replace_leaves_no_instruction_of_the_client(
    chat_document: Callable[..., Document], messages: list[object], expected: list[object]
) -> None:
    body = edited(chat_document(*messages), lambda edits: actions.set_system_prompt(edits, OURS, "replace"))
    assert body == {"model": "MoM", "messages": expected}


@pytest.mark.parametrize(
    "client, on, expected",
    [
        ({}, True, {"chat_template_kwargs": {"enable_thinking": True}}),
        ({}, False, {"chat_template_kwargs": {"enable_thinking": False}}),
        ({"chat_template_kwargs": None}, True, {"chat_template_kwargs": {"enable_thinking": True}}),
        (
            {"chat_template_kwargs": {"enable_thinking": True, "tone": 1}},
            False,
            {"chat_template_kwargs": {"enable_thinking": False, "tone": 1}},
        ),
    ],
)
def test_reasoning_by_template(
    chat_document: Callable[..., Document], client: dict[str, object], on: bool, expected: dict[str, object]
) -> None:
    document = chat_document(USER, **client)
    body = edited(document, lambda edits: actions.set_reasoning(edits, QWEN, on=on, effort="high"))
    assert body == {"model": "MoM", "messages": [USER], **expected}


@pytest.mark.parametrize("client", [{}, {"reasoning_effort": "xhigh"}, {"reasoning_effort": None}])
@pytest.mark.parametrize(
    "on, effort, expected", [(True, None, "medium"), (True, "high", "high"), (False, "high", "low")]
)
def test_reasoning_by_effort(
    chat_document: Callable[..., Document], client: dict[str, object], on: bool, effort: Any, expected: str
) -> None:
    document = chat_document(USER, **client)
    body = edited(document, lambda edits: actions.set_reasoning(edits, GPT, on=on, effort=effort))
    assert body == {"model": "MoM", "messages": [USER], "reasoning_effort": expected}


def test_the_three_edits_compose(chat_document: Callable[..., Document]) -> None:
    def change(edits: Edits) -> None:
        actions.set_model(edits, "m")
        actions.set_system_prompt(edits, OURS, "insert")
        actions.set_reasoning(edits, QWEN, on=True)

    assert edited(chat_document(USER), change) == {
        "model": "m",
        "messages": [OUR_MESSAGE, USER],
        "chat_template_kwargs": {"enable_thinking": True},
    }
