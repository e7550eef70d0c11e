"""Edits change what they say and not one byte more, on arbitrary JSON in arbitrary spelling."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from waypost.config.schema import ReasoningFamily
from waypost.errors import BadRequest
from waypost.wire import actions
from waypost.wire.document import Document
from waypost.wire.edits import Edits
from waypost.wire.spans import children

OURS = 'You are "数学".\n'
QWEN = ReasoningFamily(type="chat_template_kwargs", parameter="enable_thinking")
GPT = ReasoningFamily(type="reasoning_effort", parameter="reasoning_effort")
READ = frozenset({"model", "messages", "prompt", "stream", "tools", "chat_template_kwargs", "reasoning_effort"})


class Number(str):
    """A number as it is spelled."""

    __slots__ = ()


Pairs = list[tuple[str, Any]]
"""An object with its order and its duplicate keys; arrays are tuples here."""

characters = st.characters(exclude_categories=())  # lone surrogates, too: they are legal as escapes
strings = st.text(characters, max_size=8)
numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True).map(Number)
scalars = st.none() | st.booleans() | numbers | st.just(Number("9" * 5000)) | strings
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.lists(st.tuples(strings, inner), max_size=4),
    max_leaves=12,
)
unknown = st.lists(st.tuples(strings.filter(lambda key: key not in READ), values), max_size=4)
plain_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def loads(body: str | bytes) -> Any:
    """Parse without losing an order, a duplicate or a digit."""
    return frozen(json.loads(body, parse_int=Number, parse_float=Number, object_pairs_hook=Members))


class Members(list[tuple[str, Any]]):
    """An object's pairs, told apart from an array."""


def frozen(value: Any) -> Any:
    if isinstance(value, Members):
        return [(key, frozen(inner)) for key, inner in value]
    if isinstance(value, list):
        return tuple(frozen(inner) for inner in value)
    return value


def spelled(value: Any, random: Random) -> str:
    """Write ``value`` with white space, escapes and key spellings at random."""

    def space() -> str:
        return random.choice(["", "", "", " ", "\n\t", "\r\n  "])

    def anything(value: Any) -> str:
        match value:
            case Number():
                return str(value)
            case str():
                return string(value, random)
            case tuple():
                return "[" + ",".join(space() + anything(inner) + space() for inner in value) + space() + "]"
            case list():
                members = (string(key, random) + space() + ":" + space() + anything(inner) for key, inner in value)
                return "{" + ",".join(space() + member + space() for member in members) + space() + "}"
            case _:
                return json.dumps(value)

    return space() + anything(value) + space()


def string(text: str, random: Random) -> str:
    def character(one: str) -> str:
        must = one in '"\\' or one < " " or "\ud800" <= one <= "\udfff"
        if not must and random.random() < 0.8:
            return one
        if one == "/" and random.random() < 0.5:
            return "\\/"
        digits = one.encode("utf-16-be", "surrogatepass").hex()
        cased = digits.upper() if random.random() < 0.5 else digits
        return "".join(f"\\u{cased[at : at + 4]}" for at in range(0, len(cased), 4))

    return '"' + "".join(map(character, text)) + '"'


def joined(text: str) -> str:
    """What a JSON parser makes of a high surrogate followed by a low one."""
    return json.loads(json.dumps(text))


def canonical(value: Any) -> Any:
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return joined(value)
    if isinstance(value, tuple):
        return tuple(map(canonical, value))
    if isinstance(value, list):
        return [(joined(key), canonical(inner)) for key, inner in value]
    return value


def unique(pairs: Pairs) -> Pairs:
    return list({joined(key): (key, value) for key, value in pairs}.values())


parts = st.tuples(
    st.just([("type", "text"), ("text", "part")]) | st.just([("type", "image_url"), ("image_url", [("url", "x")])])
)
contents = strings | st.none() | parts | st.just(())
messages = st.builds(
    lambda role, content, more: [*unique(more), ("role", role), ("content", content)],
    st.sampled_from(["system", "developer", "user", "assistant", "tool"]),
    contents,
    st.lists(st.tuples(strings.filter(lambda key: key not in ("role", "content")), scalars), max_size=2),
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Pairs, str]:
    """A chat request and one of its spellings."""
    known: Pairs = [
        ("model", draw(strings.filter(bool))),
        ("messages", tuple(draw(st.lists(messages, min_size=1, max_size=4)))),
    ]
    if draw(st.booleans()):
        more = draw(st.lists(st.tuples(st.sampled_from(["enable_thinking", "tone"]), scalars), max_size=2))
        known.append(("chat_template_kwargs", draw(st.just(unique(more)) | scalars)))
    if draw(st.booleans()):
        known.append(("reasoning_effort", draw(scalars)))
    request = draw(st.permutations([*known, *draw(unknown)]))
    return canonical(list(request)), spelled(list(request), draw(st.randoms(use_true_random=False)))


def put(pairs: Pairs, key: str, value: object) -> Pairs:
    """Set a key in place, or at the end."""
    if key not in dict(pairs):
        return [*pairs, (key, value)]
    return [(name, value if name == key else old) for name, old in pairs]


def with_system_prompt(request: Pairs, mode: str) -> Pairs:
    talk = dict(request)["messages"]
    ours = [("role", "system"), ("content", OURS)]
    first = dict(talk[0])
    if mode == "replace":
        kept = (message for message in talk if dict(message)["role"] not in ("system", "developer"))
        return put(request, "messages", (ours, *kept))
    if first["role"] not in ("system", "developer"):
        return put(request, "messages", (ours, *talk))
    match first["content"]:
        case None | "":
            content: Any = OURS
        case str(text):
            content = f"{OURS}\n\n{text}"
        case ([("type", "text"), ("text", text)], *rest):
            content = ([("type", "text"), ("text", f"{OURS}\n\n{text}")], *rest)
        case rest:
            content = ([("type", "text"), ("text", OURS)], *rest)
    return put(request, "messages", (put(talk[0], "content", content), *talk[1:]))


def with_thinking(request: Pairs, on: bool) -> Pairs:
    kwargs = dict(request).get("chat_template_kwargs")
    return put(request, "chat_template_kwargs", put(kwargs if isinstance(kwargs, list) else [], "enable_thinking", on))


EDITS: dict[str, tuple[Callable[[Edits], None], Callable[[Pairs], Pairs]]] = {
    "model": (lambda edits: actions.set_model(edits, "模型/7b"), lambda request: put(request, "model", "模型/7b")),
    "insert": (
        lambda edits: actions.set_system_prompt(edits, OURS, "insert"),
        lambda request: with_system_prompt(request, "insert"),
    ),
    "replace": (
        lambda edits: actions.set_system_prompt(edits, OURS, "replace"),
        lambda request: with_system_prompt(request, "replace"),
    ),
    "thinking": (
        lambda edits: actions.set_reasoning(edits, QWEN, on=True),
        lambda request: with_thinking(request, True),
    ),
    "effort": (
        lambda edits: actions.set_reasoning(edits, GPT, on=False),
        lambda request: put(request, "reasoning_effort", "low"),
    ),
}


def shared(before: bytes, after: bytes) -> int:
    """The length of the common beginning."""
    return next(
        (at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )


@given(values.filter(lambda value: isinstance(value, list)), st.randoms(use_true_random=False))
def test_without_edits_every_byte_stays(value: Pairs, random: Random) -> None:
    value = [(f"x{key}", inner) for key, inner in value]
    body = spelled(value, random).encode()
    document = Document.parse(body)
    assert Edits(document).render() == body
    assert loads(body) == canonical(value)


@given(requests(), st.sampled_from(["insert", "replace"]), st.sets(st.sampled_from(["model", "thinking", "effort"])))
def test_edits_do_what_they_say_and_keep_the_rest(case: tuple[Pairs, str], mode: str, others: set[str]) -> None:
    request, text = case
    edits = Edits(Document.parse(text.encode()))
    for name in (mode, *sorted(others)):
        EDITS[name][0](edits)
        request = EDITS[name][1](request)
    assert loads(edits.render()) == request


@given(
    requests(),
    st.sampled_from([("model", "model"), ("reasoning_effort", "effort"), ("chat_template_kwargs", "thinking")]),
)
def test_all_around_the_edited_value_is_the_same_bytes(case: tuple[Pairs, str], edit: tuple[str, str]) -> None:
    key, name = edit
    document = Document.parse(case[1].encode())
    edits = Edits(document)
    EDITS[name][0](edits)
    after = edits.render()
    last = document.members[-1]
    edited = next((member for member in document.members if member.key == key), last._replace(start=last.end))
    assert after.startswith(document.text[: edited.start].encode())
    assert after.endswith(document.text[edited.end :].encode())


@given(requests())
def test_an_inserted_prompt_is_one_insertion(case: tuple[Pairs, str]) -> None:
    before = case[1].encode()
    document = Document.parse(before)
    first = document.get("messages")[0]
    if first["role"] in ("system", "developer") and not first["content"] and first["content"] != []:
        return  # null or empty content has nothing to insert into: it is replaced
    edits = Edits(document)
    actions.set_system_prompt(edits, OURS, "insert")
    after = edits.render()
    assert shared(before, after) + shared(before[::-1], after[::-1]) >= len(before)


@given(requests())
def test_replaced_prompts_leave_the_other_messages_byte_for_byte(case: tuple[Pairs, str]) -> None:
    request, text = case
    edits = Edits(Document.parse(text.encode()))
    actions.set_system_prompt(edits, OURS, "replace")
    rest = edits.render().decode()
    for key, value in request:
        if key != "messages":
            continue
        kept = [dict(message)["role"] not in ("system", "developer") for message in value]
        for message in (place for place, keep in zip(spans(text), kept, strict=True) if keep):
            _, found, rest = rest.partition(message)
            assert found


def spans(text: str) -> list[str]:
    """Each message as the client spelled it."""
    document = Document.parse(text.encode())
    start = next(member.start for member in document.members if member.key == "messages")
    return [text[part.start : part.end] for part in children(text, start)]


tricky = st.text(st.sampled_from('[]{}"\\\n:,a'), max_size=8)
nests = st.recursive(
    tricky,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.lists(st.tuples(tricky, inner), max_size=3),
    max_leaves=20,
)


def depth(value: Any) -> int:
    if isinstance(value, tuple):
        return 1 + max(map(depth, value), default=0)
    if isinstance(value, list):
        return 1 + max((depth(inner) for _, inner in value), default=0)
    return 0


@given(nests, st.integers(1, 8), st.randoms(use_true_random=False))
def test_depth_is_counted_right_whatever_the_strings_hold(value: Any, limit: int, random: Random) -> None:
    body = spelled([("x", value)], random).encode()
    try:
        Document.parse(body, max_depth=limit)
    except BadRequest:
        assert depth(value) + 1 > limit
    else:
        assert depth(value) + 1 <= limit


@given(st.data())
def test_sets_removes_and_inserts_compose(data: st.DataObject) -> None:
    object_ = data.draw(st.lists(st.tuples(st.sampled_from("abcde"), scalars), max_size=5).map(unique))
    array = data.draw(st.lists(scalars, max_size=5).map(tuple))
    text = spelled([("o", object_), ("l", array)], data.draw(st.randoms(use_true_random=False)))
    edits = Edits(Document.parse(text.encode()))

    removed = data.draw(st.sets(st.sampled_from("abcde")))
    changed = data.draw(st.dictionaries(st.sampled_from("abcdefg").filter(lambda key: key not in removed), plain_texts))
    expected = [(key, value) for key, value in canonical(object_) if key not in removed]
    for key in removed:
        edits.remove(("o", key))
    for key, value in changed.items():
        edits.set(("o", key), value)
        expected = put(expected, key, value)

    gone = data.draw(st.sets(st.integers(0, len(array) - 1))) if array else set()
    inserted = data.draw(st.lists(st.tuples(st.integers(0, 6), plain_texts), max_size=4))
    slots: list[list[Any]] = [[] for _ in range(len(array) + 1)]
    for index in gone:
        edits.remove(("l", index))
    for index, value in sorted(inserted, key=lambda pair: pair[0]):
        edits.insert(("l",), index, value)
        slots[min(index, len(array))].append(value)
    list_ = [
        value
        for place, new in enumerate(slots)
        for value in (*new, *(array[place : place + 1] if place not in gone else ()))
    ]
    assert loads(edits.render()) == [("o", expected), ("l", canonical(tuple(list_)))]
