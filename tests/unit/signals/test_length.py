"""Length: the estimate against real tokens, and the ranges of rules."""

import pytest

from waypost.config import schema
from waypost.signals.length import MESSAGE_TOKENS, LengthSignal, estimate_tokens
from waypost.types import Message, Request


def _estimate(text: str) -> int:
    return estimate_tokens([Message("user", text)]) - MESSAGE_TOKENS


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (
            25,
            "The verbal agreement between the tenant and the landlord may be enforceable if both parties relied on it.",
        ),
        (32, "帮我解这道微积分题:求 x^2·sin(x) 的导数,并解释每一步的推理过程。"),
        (
            32,
            "def reverse(head):\n  last = None\n  while head:\n    head.next, last, head = last, head, head.next\n",
        ),
        (18, "Действителен ли устный договор аренды, если обе стороны уже начали его исполнять?"),
        (12, "ลูกค้าต้องการทราบว่าสัญญาด้วยวาจามีผลบังคับใช้หรือไม่"),
        (14, "口頭契約は法的に有効ですか。詳しく説明してください。"),
        (15, "구두 계약이 법적으로 유효한지 자세히 설명해 주세요."),
        (16, "هل العقد الشفهي ملزم قانونيا إذا بدأ الطرفان في تنفيذه؟"),
        (20, "क्या मौखिक अनुबंध कानूनी रूप से मान्य है, कृपया विस्तार से समझाएँ।"),
        (23, "Le contrat verbal est-il valable si les deux parties ont déjà commencé à l'exécuter ?"),
        (27, "If 3x + 7 = 22 and 2y - 5 = 13, what is (x + y)^2 - 4xy?"),
        (47, '{"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}'),
    ],
)
def test_estimate_is_near_the_real_count(tokens, text):
    assert _estimate(text) == pytest.approx(tokens, rel=0.3)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("       ", 1), ("😀😀😀", 3), ("\ud800", 1), ("𠮷野家", 3)],
)
def test_edges(text, tokens):
    assert _estimate(text) == tokens


def test_every_message_counts():
    messages = [Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "")]
    alone = sum(estimate_tokens([message]) for message in messages)
    assert estimate_tokens(messages) == pytest.approx(alone, abs=len(messages))
    assert estimate_tokens([]) == 0


def test_long_text_grows_in_proportion():
    text = "给我讲个关于猫的笑话 and then some English. "
    assert _estimate(text * 20_000) == pytest.approx(20_000 * _estimate(text * 100) / 100, rel=0.01)


@pytest.mark.parametrize(
    ("words", "matched"),
    [(1, {"short", "any"}), (500, {"long", "any"}), (60_000, {"long", "any", "huge"})],
)
async def test_rules_are_ranges(words, matched):
    signal = LengthSignal(
        [
            schema.LengthSignal(name="short", max_tokens=50),
            schema.LengthSignal(name="long", min_tokens=200),
            schema.LengthSignal(name="huge", min_tokens=20_000, max_tokens=10**9),
            schema.LengthSignal(name="any"),
        ]
    )
    messages = (Message("user", "words " * words), Message("assistant", "Yes."))
    result = await signal.measure(Request("chat", "MoM", messages, "Yes."))
    assert result.matched == matched
    assert set(result.scores.values()) == {float(estimate_tokens(messages))}
    assert result.threshold is None


async def test_bounds_are_inclusive():
    message = Message("user", "one two three")
    tokens = estimate_tokens([message])
    signal = LengthSignal([schema.LengthSignal(name="exact", min_tokens=tokens, max_tokens=tokens)])
    assert (await signal.measure(Request("chat", "MoM", (message,), message.text))).matched == {"exact"}
