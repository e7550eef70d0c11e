"""What is measured for guards, what a rule had measured for them, and what is noted of their health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from waypost.config.guarding import JailbreakGuard, PiiGuard
from waypost.guard.health import GuardHealth
from waypost.guard.personal import PersonalData, Search
from waypost.guard.watch import Watch
from waypost.types import Message, Request, SignalResult, Wire

FAILED = SignalResult("jailbreak", unknown="queue full")
NO_TEXT = SignalResult("jailbreak", unknown="the request has no text")
FINE = SignalResult("jailbreak", scores={"jailbreak": 0.1}, threshold=0.5)


@dataclass
class Attacks:
    """Says what it is told to, and as the real one it does not know what to say of nothing."""

    result: SignalResult = FINE
    kind: str = "jailbreak"
    cost: float = 0.01
    seen: list[Request] = field(default_factory=list)

    async def measure(self, request: Request) -> SignalResult:
        self.seen.append(request)
        return self.result if any(message.text.strip() for message in request.messages) else NO_TEXT


@dataclass
class Personal:
    unknown: str = ""

    async def search(self, texts: Sequence[str], thresholds: object) -> Search:
        return Search(((),) * len(texts), SignalResult("pii", unknown=self.unknown))


def watch(attacks: Attacks, personal: Personal | None = None) -> Watch:
    return Watch(attacks, cast("PersonalData | None", personal), GuardHealth())


def request(*texts: str, wire: Wire = "chat") -> Request:
    return Request(wire, "", tuple(Message("user", text) for text in texts), " ".join(texts))


async def test_the_guard_takes_what_a_rule_measured() -> None:
    at_work = watch(attacks := Attacks())
    assert await at_work.jailbreak(JailbreakGuard(), request("hello"), FINE) == (FINE, None)
    assert attacks.seen == []


async def test_its_health_is_also_that_of_what_a_rule_measured() -> None:
    at_work = watch(Attacks())
    _, verdict = await at_work.jailbreak(JailbreakGuard(), request("hello"), FAILED)
    assert verdict
    assert (verdict.action, verdict.error) == ("block", "queue full")
    assert at_work.health.error("jailbreak") == "queue full"
    await at_work.jailbreak(JailbreakGuard(), request("hello"), FINE)
    assert at_work.health.error("jailbreak") == ""


@pytest.mark.parametrize("texts", [(), ("",), ("", ""), (" \n",), ("\t", "")])
@pytest.mark.parametrize("known", [None, NO_TEXT, FAILED])
async def test_where_nothing_is_said_there_is_no_doubt(texts: tuple[str, ...], known: SignalResult | None) -> None:
    at_work = watch(Attacks())
    result, verdict = await at_work.jailbreak(JailbreakGuard(), request(*texts), known)
    assert (result.unknown, verdict, at_work.health.error("jailbreak")) == ("", None, "")


@pytest.mark.parametrize("known", [None, NO_TEXT])
async def test_token_ids_are_blocked_whatever_a_rule_measured(known: SignalResult | None) -> None:
    at_work = watch(Attacks())
    _, verdict = await at_work.jailbreak(JailbreakGuard(), request(wire="completions"), known)
    assert verdict
    assert (verdict.action, verdict.error) == ("block", "the prompt has no text that can be read")
    assert at_work.health.error("jailbreak") == ""  # it is the request that cannot be read, not the guard that fails


@pytest.mark.parametrize("texts", [(), ("",), (" \n", "")])
async def test_a_request_without_text_does_not_make_a_guard_healthy(texts: tuple[str, ...]) -> None:
    at_work = watch(Attacks(FAILED), personal := Personal("queue full"))
    await at_work.jailbreak(JailbreakGuard(), request("hello"), None)
    await at_work.pii(PiiGuard(), request("hello"), ("hello",))
    personal.unknown = ""
    await at_work.jailbreak(JailbreakGuard(), request(*texts), None)
    _, verdict = await at_work.pii(PiiGuard(), request(*texts), texts)
    assert verdict is None
    assert (at_work.health.error("jailbreak"), at_work.health.error("pii")) == ("queue full", "queue full")
