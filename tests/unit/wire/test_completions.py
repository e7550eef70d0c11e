import json

import pytest

from waypost.errors import BadRequest
from waypost.types import Message
from waypost.wire import completions
from waypost.wire.document import Document


def document(**fields: object) -> Document:
    return Document.parse(json.dumps({"model": "MoM", **fields}).encode())


@pytest.mark.parametrize(
    "prompt, texts",
    [
        ("hi", ["hi"]),
        ("", [""]),
        (["one", "two"], ["one", "two"]),
        ([1, 2, 3], []),
        ([[1, 2], [3]], []),
        ("a\ud800", ["a\ufffd"]),
    ],
)
def test_every_shape_of_prompt(prompt: object, texts: list[str]) -> None:
    request = completions.read(document(prompt=prompt, stream=True))
    assert request.wire == "completions"
    assert request.messages == tuple(Message("user", text) for text in texts)
    assert request.user_text == "\n".join(texts)
    assert request.stream


def test_embeddings_may_stand_for_a_prompt() -> None:
    assert completions.read(document(prompt_embeds="AAAA")).user_text == ""


@pytest.mark.parametrize(
    "fields, param",
    [
        ({}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": 1}, "prompt"),
        ({"prompt": {}}, "prompt"),
        ({"prompt": ["a", 1]}, "prompt[0]"),
        ({"prompt": [1, "a"]}, "prompt[0]"),
        ({"prompt": [True]}, "prompt[0]"),
        ({"prompt": [1.0]}, "prompt[0]"),
        ({"prompt": [[1], ["a"]]}, "prompt[1]"),
        ({"prompt": [[1], []]}, "prompt[1]"),
        ({"prompt": "hi", "model": None}, "model"),
        ({"prompt": "hi", "stream": "no"}, "stream"),
    ],
)
def test_what_cannot_be_interpreted_is_refused(fields: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        completions.read(document(**fields))
    assert caught.value.param == param
