"""Why an answer that is there is not served, or is not kept in the first place."""

from __future__ import annotations

import asyncio

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

RESET, ALIKE = "How do I reset my password?", "How can I reset my password?"

REFUSED = {
    "numbers": ("How do I convert 5 miles to kilometers?", "How do I convert 8 miles to kilometers?"),
    "negation": ("Why should I water my cactus in winter?", "Why should I not water my cactus in winter?"),
    "opposites": ("How do I increase the font size in Word?", "How do I decrease the font size in Word?"),
    "names": ("Is the museum in the centre of Lyon open?", "In Nantes, does the museum open in the centre?"),
    "quoted": ("How do I open 'a.txt' in Python?", "How do I open 'b.txt' in Python?"),
    "form": ("Explain briefly how plants make food", "In detail, explain how food is made by plants"),
    "wording": ("What are the benefits of green tea?", "What are the benefits of herbal tea?"),
    "aspect": ("Who wrote the book about whales?", "When was the book about whales written?"),
    "order": ("How do I travel from Rome to Milan?", "How do I travel from Milan to Rome?"),
}


@pytest.mark.parametrize("reason", REFUSED)
async def test_what_is_similar_is_refused_for_a_reason(cached, reason):
    one, other = (f"{question} #loose" for question in REFUSED[reason])
    before = await cached.router.metric("waypost_cache_results_total", result="miss", reason=reason)
    await cached.ask(one)
    assert await cached.outcome(one) == "exact"
    assert await cached.outcome(other) == reason
    assert len(cached.received) == 2
    await cached.router.until_metric("waypost_cache_results_total", before + 1, result="miss", reason=reason)


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("How does photosynthesis work in plants? #loose", "植物的光合作用是怎么进行的？ #loose", "form"),
        ("Name the rivers of France #loose", "Wie heißen die Flüsse in Frankreich? #loose", "names"),
        ("How do I bake bread?", "How do I repair a bicycle?", "dissimilar"),
        (f"{RESET} #strict", f"{ALIKE} #strict", "dissimilar"),
    ],
    ids=["Chinese", "German", "another matter", "the decision's threshold"],
)
async def test_no_answer_serves_another_question(cached, one, other, reason):
    await cached.ask(one)
    assert await cached.outcome(one) == "exact"
    assert await cached.outcome(other) == reason
    assert len(cached.received) == 2


@pytest.mark.parametrize(
    "question", ["What is the weather in Paris today?", "今天上海的天气怎么样？", "Who won the latest race?"]
)
async def test_what_changes_by_the_day_is_not_kept(cached, question):
    assert [await cached.outcome(question) for _ in range(2)] == ["timely"] * 2
    assert len(cached.received) == 2


async def test_a_client_may_want_no_copy_or_leave_none(cached, answering):
    assert await cached.outcome(RESET, headers={"cache-control": "no-store"}) == "opted_out"
    assert await cached.outcome(RESET) == "absent"
    assert await cached.outcome(RESET, headers={"cache-control": "no-store"}) == "opted_out"
    assert await cached.outcome(RESET) == "exact"

    cached.backends["a"].answer = answering("New")
    fresh = await cached.ask(RESET, headers={"cache-control": "no-cache"})
    assert (fresh.outcome, fresh.content) == ("opted_out", "New")
    async with asyncio.timeout(60):
        while (await cached.ask(RESET)).content != "New":
            await asyncio.sleep(0.01)


async def test_a_decision_has_rules_of_its_own(cached):
    assert [await cached.outcome(f"{RESET} #off") for _ in range(2)] == ["disabled"] * 2
    assert await cached.outcome(f"{RESET} #brief") == "absent"
    async with asyncio.timeout(60):
        while await cached.outcome(f"{RESET} #brief") != "absent":
            await asyncio.sleep(0.05)
