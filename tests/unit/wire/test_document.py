import json

import pytest

from waypost.errors import BadRequest
from waypost.wire.document import Document


def nested(depth: int) -> bytes:
    """An object with ``depth`` levels, itself among them."""
    return b'{"extra":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    "body, message",
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b'\xef\xbb\xbf{"model": "a"}', "byte order mark"),
        (b'{"model": "\xff"}', "not valid UTF-8 at byte 11"),
        (b'{"model": "\xed\xa0\x80"}', "not valid UTF-8"),
        (b"[]", "must be a JSON object"),
        (b'"model"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"hello", "must be a JSON object"),
        (b"{", "property name enclosed in double quotes: line 1 column 2"),
        (b'{"a"', "':' delimiter: line 1 column 5"),
        (b'{"a":', "Expecting value: line 1 column 6"),
        (b'{"a":1', "',' delimiter: line 1 column 7"),
        (b'{"a":1,', "property name enclosed in double quotes"),
        (b'{"a":1,}', "property name enclosed in double quotes"),
        (b'{"a":1 "b":2}', "',' delimiter"),
        (b'{"a":1]', "',' delimiter"),
        (b"{'a':1}", "property name enclosed in double quotes"),
        (b'{"a":01}', "',' delimiter"),
        (b'{"a":+1}', "Expecting value"),
        (b'{"a":.5}', "Expecting value"),
        (b'{"a":[1,]}', "Expecting value"),
        (b'{"a":tru}', "Expecting value"),
        (b'{"a":NaN}', "NaN is not a JSON value"),
        (b'{"a":[-Infinity]}', "-Infinity is not a JSON value"),
        (b'{"messages":[Infinity]}', "Infinity is not a JSON value"),
        (b'{"a":"one\ntwo"}', "Invalid control character"),
        (b'{"a\tb":1}', "Invalid control character"),
        (b'{"a":"\\x"}', "Invalid \\escape"),
        (b'{"a":"\\u12g4"}', "Invalid \\uXXXX escape"),
        (b'{"a":\xc2\xa01}', "Expecting value"),
        (b'{"a":1}\n\n {}', "text after its JSON object: line 3 column 2"),
        (b'{"a":1}\x00', "text after its JSON object: line 1 column 8"),
        (b'{"a":[' + b"{}," * 300_000 + b"{}]}", "more than 262144 objects and arrays"),
        (b"{" + b",".join(b'"%d":1' % key for key in range(5000)) + b"}", "more than 4096 top-level keys"),
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Document.parse(body)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.code == "invalid_json"


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","model":"b"}',
        b'{"model":"a","mod\\u0065l":"b"}',
        b'{"messages":[],"x":1,"messages":[]}',
        b'{"stream":true,"stream":false}',
        b'{"messages":[{"role":"user","content":"nice","content":"evil"}]}',
        b'{"messages":[{"role":"user","content":[{"type":"text","text":"nice","t\\u0065xt":"evil"}]}]}',
        b'{"chat_template_kwargs":{"enable_thinking":true,"enable_thinking":false}}',
    ],
)
def test_a_key_that_could_be_read_in_two_ways_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="Duplicate key") as caught:
        Document.parse(body)
    assert caught.value.code == "duplicate_key"


def test_a_long_duplicate_key_is_not_echoed_in_full() -> None:
    key = b'"' + b"k" * 10_000 + b'":1'
    with pytest.raises(BadRequest) as caught:
        Document.parse(b'{"messages":[{' + key + b"," + key + b"}]}")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("depth, accepted", [(1, True), (63, True), (64, True), (65, False), (100, False)])
def test_depth_is_bounded(depth: int, accepted: bool) -> None:
    body = nested(depth) if depth > 1 else b"{}"
    if accepted:
        assert Document.parse(body).text.encode() == body
    else:
        with pytest.raises(BadRequest, match="nested too deep"):
            Document.parse(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"extra":{"x":' + b"[" * 64 + b"]" * 64 + b',"x":1}}',
        b'{"extra":' + b'[{"":' * 40 + b"1" + b"}]" * 40 + b"}",
        b'{"extra":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"messages":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    ],
    ids=["hidden by a duplicate", "mixed", "beyond the stack", "beyond the stack in messages"],
)
def test_depth_is_bounded_wherever_it_hides(body: bytes) -> None:
    with pytest.raises(BadRequest, match="nested too deep"):
        Document.parse(body)


def test_the_bound_of_the_depth_can_be_chosen() -> None:
    assert Document.parse(nested(5), max_depth=5)
    with pytest.raises(BadRequest, match="nested too deep"):
        Document.parse(nested(6), max_depth=5)


@pytest.mark.parametrize(
    "text",
    ["[" * 500, '"' + "{[" * 500, '\\"' + "[" * 500, "\\", "\\\\" + "[" * 100, '[""]"]"' * 40],
)
def test_brackets_in_strings_are_not_depth(text: str) -> None:
    body = json.dumps({"model": "a", "messages": [{"role": "user", "content": text}, [[]]], "x": ["", text, ""]})
    assert Document.parse(body.encode(), max_depth=4).get("model") == "a"


@pytest.mark.parametrize(
    "extra",
    [
        b'"seed":' + b"9" * 5000,
        b'"seed":[-' + b"9" * 5000 + b"]",
        b'"temperature":1e999',
        b'"temperature":-0.0e-999',
        b'"temperature":1.0000000000000000000000000001',
        b'"x":1,"x":2,"X":3',
        b'"x":{"y":1,"y":2}',
        b'"x":"\\ud800"',
        b'"\\ud800":"\\udfff\\u0000"',
        b'"":""',
    ],
)
def test_unknown_fields_pass_untouched(extra: bytes) -> None:
    body = b'\n{ "model" : "a" , ' + extra + b' , "messages":[{"n":' + b"9" * 5000 + b"}]}\r\n"
    document = Document.parse(body)
    assert document.get("model") == "a"
    assert document.text.encode() == body


def test_members_know_their_places() -> None:
    document = Document.parse('{"模型": "a" ,\n"n":\t[1, 2]}'.encode())
    assert [(m.key, document.text[m.begin : m.start], document.text[m.start : m.end]) for m in document.members] == [
        ("模型", '"模型": ', '"a"'),
        ("n", '"n":\t', "[1, 2]"),
    ]


def test_null_and_absent_are_the_same() -> None:
    document = Document.parse(b'{"stream":null}')
    assert document.get("stream") is None
    assert document.get("tools") is None


def test_brackets_inside_strings_are_no_structure() -> None:
    body = b'{"code":"' + b"x[{" * 300_000 + b'"}'
    assert Document.parse(body).text.encode() == body
