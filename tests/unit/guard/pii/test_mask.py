import json

import pytest

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.mask import mask
from waypost.wire.document import Document
from waypost.wire.texts import texts


def masked(value: str, *contents: str) -> list[str]:
    """Mask ``value`` where it is found: at the beginning of the first message."""
    body = {"model": "MoM", "messages": [{"role": "user", "content": content} for content in contents]}
    document = Document.parse(json.dumps(body).encode())
    finding = Finding(0, len(value), "PERSON", 0.9, "test")
    after, _ = mask(document, texts(document), [[finding], *([] for _ in contents[1:])])
    return [place.text for place in texts(after)][1:]


@pytest.mark.parametrize(
    "value, text, expected",
    [
        ("John Smith", "Is John Smith in?", "Is <PERSON_1> in?"),
        ("John Smith", "John Smiths", "John Smiths"),
        ("John", "Johnny, xJohn, John", "Johnny, xJohn, <PERSON_1>"),
        ("王伟", "请问王伟在吗", "请问<PERSON_1>在吗"),
        ("김철수", "김철수는", "<PERSON_1>는"),
        ("Иван", "Ивановна, Иван", "Ивановна, <PERSON_1>"),
        ("john@example.com", "<john@example.com>", "<<PERSON_1>>"),
        ("34", "34 + 34", "34 + 34"),
        ("1984", "1984", "1984"),
        ("13800138000", "13800138000.", "<PERSON_1>."),
        ("May", "May I?", "May I?"),
    ],
)
def test_a_value_is_masked_wherever_it_is_repeated(value: str, text: str, expected: str) -> None:
    assert masked(value, value, text) == [expected]


def test_a_value_is_masked_inside_tool_arguments() -> None:
    call = {"function": {"name": "f", "arguments": '{"to": "Zo\\u00eb \\"Z\\" Doe", "n": 1.0}'}}
    body = {"messages": [{"role": "user", "content": 'Zoë "Z" Doe'}, {"role": "assistant", "tool_calls": [call]}]}
    document = Document.parse(json.dumps(body).encode())
    after, vault = mask(document, texts(document), [[Finding(0, 11, "PERSON", 0.9, "test")], []])
    messages = json.loads(after.text)["messages"]
    assert messages[0]["content"] == "<PERSON_1>"
    arguments = messages[1]["tool_calls"][0]["function"]["arguments"]
    assert arguments == '{"to": "<PERSON_1>", "n": 1.0}'
    assert json.loads(vault.restore(arguments, in_json=True))["to"] == 'Zoë "Z" Doe'


def test_without_findings_the_body_stays() -> None:
    body = '{ "messages":[{"role":"user","content":"\\u0041"}] }'
    document = Document.parse(body.encode())
    after, vault = mask(document, texts(document), [[]])
    assert after.text == body
    assert not vault
