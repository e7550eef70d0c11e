"""Masking is undone exactly, whatever the texts, the findings and the pieces of the answer."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.mask import mask
from waypost.guard.pii.vault import Vault
from waypost.wire.document import Document
from waypost.wire.restore import Restorer
from waypost.wire.texts import texts

SSE = "text/event-stream"
OWN = [
    "<PERSON_1>",
    "<person 2>",
    "&lt;PERSON_1&gt;",
    r"\u003cPERSON_1\u003e",
    "<PER",
    "SON_1>",
    "_1>",
    "<",
    ">",
    "\\",
    "&",
]
fragments = st.sampled_from([*OWN, "Ann", "王伟", '"', "\n", " ", "\u2028"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=6
)
plain = st.lists(fragments, max_size=12).map("".join)


@st.composite
def found(draw: st.DrawFn, text: str) -> list[Finding]:
    offsets = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(offsets, offsets, st.sampled_from(["PERSON", "TITLE"])), max_size=4))
    return [Finding(min(a, b), max(a, b), kind, 1.0, "test") for a, b, kind in spans]


@given(st.data(), st.lists(plain, min_size=1, max_size=3))
def test_what_is_masked_is_restored(data: st.DataObject, originals: list[str]) -> None:
    vault = Vault(originals)
    masked = [vault.mask(text, data.draw(found(text))) for text in originals]
    assert [vault.restore(text) for text in masked] == originals


values = st.sampled_from(['Ann "A" Lee', "王伟", "ann@example.com", "1 Main St\nTown", "O'Neil \\ Co"])
clean = st.lists(st.sampled_from([*OWN, "hello", " ", '"', "数"]), max_size=6).map("".join)
structures = st.recursive(
    st.tuples(clean, values, clean) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


def joined(value: Any) -> Any:
    match value:
        case tuple():
            return "".join(value)
        case dict():
            return {key: joined(below) for key, below in value.items()}
        case list():
            return [joined(below) for below in value]
        case _:
            return value


def occurrences(text: str, wanted: Iterable[str]) -> list[Finding]:
    found = []
    for value in wanted:
        start = text.find(value)
        while start >= 0:
            found.append(Finding(start, start + len(value), "PERSON", 1.0, "test"))
            start = text.find(value, start + 1)
    return found


@given(st.lists(st.tuples(clean, values, clean).map("".join), min_size=1, max_size=4), structures, st.booleans())
def test_a_masked_body_holds_no_value_and_its_echo_is_the_original(
    contents: list[str], arguments: Any, ascii_only: bool
) -> None:
    inner = json.dumps(joined(arguments), ensure_ascii=ascii_only, indent=1)
    messages = [{"role": "user", "content": text} for text in contents]
    call = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": inner}}]}
    document = Document.parse(json.dumps({"messages": [*messages, call]}).encode())
    wanted = ['Ann "A" Lee', "王伟", "ann@example.com", "1 Main St\nTown", "O'Neil \\ Co"]
    places = texts(document)
    masked, vault = mask(document, places, [occurrences(place.text, wanted) for place in places])
    assert not [value for value in wanted for place in texts(masked) if value in place.text]

    *spoken, called = json.loads(masked.text)["messages"]
    message = {**called, "content": "|".join(said["content"] for said in spoken)}
    restorer = Restorer(vault, "application/json")
    answer = json.dumps({"choices": [{"message": message}]}).encode()
    restored = json.loads(restorer.feed(answer) + restorer.end())["choices"][0]["message"]
    assert restored["content"] == "|".join(contents)
    assert json.loads(restored["tool_calls"][0]["function"]["arguments"]) == joined(arguments)


BENT = [
    "<PERSON_1>",
    "<person 1>",
    r"<PERSON\_2>",
    "&lt;PERSON_2&gt;",
    "%3CPERSON_1%3E",
    "＜PERSON_2＞",
    "< PERSON_1 >",
]
answers = st.lists(st.sampled_from([*BENT, *OWN, "<PERSON_3>", "a", " ", "%", "\n"]), max_size=12).map("".join)
in_json = st.lists(st.sampled_from(["<PERSON_1>", r"\u003cPERSON_2\u003E", r"\"", "a", "<", "&", r"\\"]), max_size=8)


def vault() -> Vault:
    text = 'Ann "A" Lee|1 Main St\nTown'
    made = Vault([text])
    made.mask(text, [Finding(0, 11, "PERSON", 1.0, "test"), Finding(12, len(text), "PERSON", 1.0, "test")])
    return made


def cut(data: st.DataObject, text: Any) -> list[Any]:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[start:end] for start, end in pairwise([0, *places, len(text)])]


def event(index: int, delta: dict[str, Any], finish: str | None = None) -> str:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return json.dumps({"id": "c", "choices": [choice]})


def collected(stream: bytes) -> dict[Any, str]:
    """What a client makes of a stream: its texts, each whole."""
    found: dict[Any, str] = {}
    for line in stream.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line.startswith("data: {"):
            continue
        for choice in json.loads(line.removeprefix("data: "))["choices"]:
            for key, value in choice["delta"].items():
                texts = [(key, value)]
                if key == "tool_calls":
                    texts = [((key, call["index"]), call["function"]["arguments"]) for call in value]
                for name, text in texts:
                    found[choice["index"], name] = found.get((choice["index"], name), "") + text
            if choice["finish_reason"]:
                found[choice["index"], "finish"] = "".join(
                    f"{key}={text}" for key, text in found.items() if key[0] == 0
                )
    return found


@given(
    st.data(),
    st.fixed_dictionaries({"content": answers, "reasoning_content": answers}),
    in_json.map("".join),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_no_cut_changes_a_streamed_answer(
    data: st.DataObject, spoken: dict[str, str], argument: str, end: str, finishes: bool
) -> None:
    arguments = f'{{"a":"{argument}"}}'
    pieces = [(0, {key: piece}) for key, text in spoken.items() for piece in cut(data, text)]
    pieces += [(1, {"content": piece}) for piece in cut(data, spoken["content"])]
    for call in (0, 1):
        pieces += [
            (0, {"tool_calls": [{"index": call, "function": {"arguments": piece}}]}) for piece in cut(data, arguments)
        ]
    order = data.draw(st.randoms(use_true_random=False))
    queues: dict[Any, list[Any]] = {}
    for index, delta in pieces:
        call = delta["tool_calls"][0]["index"] if "tool_calls" in delta else None
        queues.setdefault((index, next(iter(delta)), call), []).append((index, delta))
    events = []
    while queues:  # the texts come interleaved, each in its own order
        key = order.choice(list(queues))
        events.append(event(*queues[key].pop(0)))
        if not queues[key]:
            del queues[key]
    if finishes:
        events.append(event(0, {}, "stop"))
    stream = "".join(f"data: {item}{end}{end}" for item in (*events, "[DONE]")).encode()

    restorer = Restorer(vault(), SSE)
    out = b"".join(map(restorer.feed, cut(data, stream))) + restorer.end()
    got = collected(out)
    values = vault()
    expected = {(0, key): values.restore(text) for key, text in spoken.items()}
    expected |= {(1, "content"): values.restore(spoken["content"])}
    expected |= {(0, ("tool_calls", call)): values.restore(arguments, in_json=True) for call in (0, 1)}
    finish = got.pop((0, "finish"), None)
    assert got == expected
    assert (finish is not None) == finishes
    if finish is not None:  # nothing of the choice came after its end
        assert finish == "".join(f"{key}={text}" for key, text in got.items() if key[0] == 0)
    json.loads(got[0, ("tool_calls", 0)])

    bytewise = Restorer(vault(), SSE)
    assert b"".join(bytewise.feed(bytes([byte])) for byte in stream) + bytewise.end() == out


noise = st.sampled_from(
    [b"data: ", b"\n", b"\r", b"\r\n", b"\n\n", b"[DONE]", b'{"choices":[', b"]}", b"<PERSON_1>", b'"', b"\xff", b":"]
    + [event(0, delta).encode() for delta in ({"content": "<PER"}, {"content": "SON_1>"}, {"tool_calls": [7]})]
    + [b'{"choices":[{"delta":{"content":"<"},"finish_reason":1e999}],"id":1e999}', b'{"choices":{},"choices":[]}']
)


@given(
    st.data(),
    st.lists(noise | st.binary(max_size=3), max_size=30).map(b"".join),
    st.sampled_from([SSE, "application/json"]),
)
def test_garbage_passes_and_cuts_make_no_difference(data: st.DataObject, stream: bytes, content_type: str) -> None:
    whole, cuts = Restorer(vault(), content_type), Restorer(vault(), content_type)
    out = whole.feed(stream) + whole.end()
    assert b"".join(map(cuts.feed, cut(data, stream))) + cuts.end() == out
    if b'"delta"' not in stream:
        assert out == stream
