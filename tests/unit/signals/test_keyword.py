"""Keywords: where a term is found and where it is not."""

import pytest

from waypost.config import schema
from waypost.signals.keyword import KeywordSignal
from waypost.types import Message, Request, SignalResult


async def _measure(text: str, *rules: schema.KeywordSignal) -> SignalResult:
    request = Request("chat", "MoM", (Message("user", text),), text)
    return await KeywordSignal(rules).measure(request)


async def _holds(text: str, **rule: object) -> bool:
    result = await _measure(text, schema.KeywordSignal(name="rule", **rule))
    return "rule" in result.matched


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("urgent", "This is URGENT!"),
        ("urgent", "urgent"),
        ("紧急", "很紧急的事"),
        ("cat", "cat, dog"),
        ("cat", "用cat命令"),
        ("python代码", "请写Python代码吧"),
        ("C++", "I write C++."),
        ("C++", "modern c++20"),
        (".NET", "the .NET runtime"),
        ("asap!", "now, asap!!"),
        ("deep learning", "deep \n\t learning"),
        (" deep learning ", "deep learning"),
        ("кошка", "Моя кошка спит"),
        ("python", "ＰＹＴＨＯＮ"),
        ("straße", "HAUPTSTRASSE STRASSE"),
        ("naïve", "a nai\u0308ve idea"),
        ("緊急", "至急・緊急です"),
        ("サーバー", "ｻｰﾊﾞｰが落ちた"),
        ("ด่วน", "งานนี้ด่วนมาก"),
        ("긴급", "긴급해요"),
        ("a.b", "see a.b here"),
    ],
)
async def test_finds(term, text):
    assert await _holds(text, any=(term,))


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("cat", "concatenate"),
        ("cat", "cats"),
        ("cat", "cat_food"),
        ("кот", "который"),
        ("C++", "ObjC++"),
        ("deep learning", "deeplearning"),
        ("python代码", "mypython代码"),
        ("a.b", "axb"),
        ("cafe", "cafe\u0301"),
        ("urgent", ""),
    ],
)
async def test_does_not_find(term, text):
    assert not await _holds(text, any=(term,))


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        ({"any": ("red", "blue")}, "a blue car", True),
        ({"any": ("red", "blue")}, "a green car", False),
        ({"all": ("red", "blue")}, "blue and red", True),
        ({"all": ("red", "blue")}, "only red", False),
        ({"none": ("red", "blue")}, "green", True),
        ({"none": ("red", "blue")}, "blue", False),
        ({"any": ("car", "bus"), "all": ("red",), "none": ("toy",)}, "a red bus", True),
        ({"any": ("car", "bus"), "all": ("red",), "none": ("toy",)}, "a red toy bus", False),
        ({"all": ("new york", "york city")}, "New York City", True),
    ],
)
async def test_any_all_and_none(rule, text, expected):
    assert await _holds(text, **rule) is expected


async def test_case_matters_only_when_asked():
    assert not await _holds("us", any=("US",), case_sensitive=True)
    assert await _holds("the ＵＳ market", any=("US",), case_sensitive=True)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\b\d{3}-\d{4}\b", "call 555-1234", True),
        (r"error\s+E\d+", "ERROR  E42", True),
        (r"^fix", "please fix", False),
        (r"(a)\1", "xaax", True),
    ],
)
async def test_regular_expressions(pattern, text, expected):
    assert await _holds(text, any=(pattern,), regex=True) is expected


async def test_regular_expressions_combine_like_terms():
    assert await _holds("a1 b2", all=(r"a\d", r"b\d"), none=(r"c\d",), regex=True)
    assert not await _holds("a1 b2 c3", all=(r"a\d", r"b\d"), none=(r"c\d",), regex=True)


async def test_an_expression_out_of_time_makes_only_its_own_rule_unknown():
    slow = schema.KeywordSignal(name="slow", any=(r"(?:a|aa)+c",), regex=True)
    quick = schema.KeywordSignal(name="quick", any=("a",), regex=True)
    literal = schema.KeywordSignal(name="literal", any=("urgent",))
    result = await _measure("urgent " + "a" * 80 + "b", quick, slow, literal)
    assert result.matched == {"quick", "literal"}
    assert result.unknown_names == {"slow"}
    assert result.unknown == ""


async def test_long_text_is_searched_to_its_end():
    text = "the quick brown fox " * 50_000 + "紧急 stop"
    result = await _measure(
        text,
        schema.KeywordSignal(name="many", any=tuple(f"term{i}" for i in range(200))),
        schema.KeywordSignal(name="last", any=("stop",)),
        schema.KeywordSignal(name="zh", all=("紧急",)),
    )
    assert result.matched == {"last", "zh"}
    assert dict(result.scores) == {"last": 1.0, "zh": 1.0}
    assert result.threshold is None


async def test_only_the_routed_text_is_searched():
    messages = (Message("user", "urgent"), Message("assistant", "yes?"), Message("user", "never mind"))
    signal = KeywordSignal([schema.KeywordSignal(name="urgent", any=("urgent",))])
    result = await signal.measure(Request("chat", "MoM", messages, "never mind"))
    assert result.matched == frozenset()
