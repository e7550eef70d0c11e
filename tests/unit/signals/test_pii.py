import pytest

from waypost.errors import Overloaded
from waypost.guard.personal import PersonalData
from waypost.inference.tags import Span
from waypost.signals.pii import PiiSignal


@pytest.fixture
def signal(scripted):
    def make(script) -> PiiSignal:
        encoder, _ = scripted(script)
        return PiiSignal(PersonalData(encoder, 0.5, deadline=9, max_windows=9))

    return make


async def test_types_of_all_messages_by_their_surest_finding(signal, conversation):
    script = {
        "Call Ann": {"spans": (Span(5, 8, "PERSON", 0.9),)},
        "Ann sees Bob": {"spans": (Span(0, 3, "PERSON", 0.6), Span(9, 12, "PERSON", 0.4))},
    }
    result = await signal(script).measure(conversation("Call Ann", system="Ann sees Bob"))
    assert result.matched == {"PERSON"}
    assert result.scores == pytest.approx({"PERSON": 0.9})


async def test_what_has_a_form_needs_no_classifier(signal, conversation):
    result = await signal({}).measure(conversation("write to ann@example.com"))
    assert result.matched == {"EMAIL_ADDRESS"}


async def test_no_text_holds_nothing(signal, conversation):
    result = await signal({}).measure(conversation())
    assert not result.matched
    assert not result.unknown


async def test_a_failed_encoder_makes_every_type_unknown(signal, conversation):
    result = await signal({"hi": Overloaded("full")}).measure(conversation("hi"))
    assert result.unknown == "full"
