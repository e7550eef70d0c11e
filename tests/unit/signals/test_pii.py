import pytest

from waypost.errors import Overloaded
from waypost.inference.tags import Span
from waypost.signals.pii import PiiSignal


async def test_types_of_all_messages_by_their_surest_span(scripted, conversation):
    _, reader = scripted(
        {
            "mail": {"spans": (Span(0, 4, "EMAIL_ADDRESS", 0.9), Span(5, 8, "PERSON", 0.4))},
            "sys": {"spans": (Span(0, 3, "PERSON", 0.45), Span(4, 9, "EMAIL_ADDRESS", 0.6))},
        }
    )
    result = await PiiSignal(reader, 0.5).measure(conversation("mail", system="sys"))
    assert result.matched == {"EMAIL_ADDRESS"}
    assert result.scores == pytest.approx({"EMAIL_ADDRESS": 0.9, "PERSON": 0.45})


async def test_no_text_holds_nothing(scripted, conversation):
    result = await PiiSignal(scripted({})[1], 0.5).measure(conversation())
    assert not result.matched
    assert not result.unknown


async def test_a_failed_encoder_makes_every_type_unknown(scripted, conversation):
    _, reader = scripted({"hi": Overloaded("full")})
    assert (await PiiSignal(reader, 0.5).measure(conversation("hi"))).unknown == "full"
