"""Who shares answers with whom: partitions, owners, scopes, masked values."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

BOTH = pytest.mark.parametrize("cached", ["buffered", "full_duplex_streamed"], indirect=True)

RESET, ALIKE = "How do I reset my password?", "How can I reset my password?"
ADDRESS = "ann.lee@example.com"


def after(*before: tuple[str, str]) -> dict:
    """Fields of a request in which ``RESET`` comes after other messages."""
    history = [{"role": role, "content": text} for role, text in before]
    return {"messages": [*history, {"role": "user", "content": RESET}]}


def offering(description: str) -> dict:
    return {"tools": [{"type": "function", "function": {"name": "look_up", "description": description}}]}


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}

APART = {
    "system prompts": (after(("system", "You are kind.")), after(("system", "You are strict."))),
    "a system prompt and none": (after(("system", "You are kind.")), {}),
    "histories": (
        after(("user", "I use Linux."), ("assistant", "Good.")),
        after(("user", "I use macOS."), ("assistant", "Good.")),
    ),
    "answers in between": (
        after(("user", "Hi"), ("assistant", "Windows user?")),
        after(("user", "Hi"), ("assistant", "Mac user?")),
    ),
    "a history and none": (after(("user", "Hi"), ("assistant", "Hello.")), {}),
    "models": ({"model": "a"}, {"model": "b"}),
    "a chosen and a named model": ({"model": "auto"}, {"model": "a"}),
    "tools": (offering("Looks up"), offering("Looks up words")),
    "tool choices": (offering("x") | {"tool_choice": "auto"}, offering("x") | {"tool_choice": "none"}),
    "temperatures": ({"temperature": 0}, {"temperature": 0.7}),
    "seeds": ({"seed": 1}, {"seed": 2}),
    "limits": ({"max_tokens": 10}, {"max_tokens": 11}),
    "formats": ({"response_format": {"type": "json_object"}}, {}),
    "users of an application": ({"user": "u1"}, {"user": "u2"}),
    "fields that nobody knows": ({"top_z": 1}, {"top_z": 2}),
    "pictures": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": RESET}, IMAGE]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": RESET}]}]},
    ),
}


def instead(fields: dict, question: str) -> dict:
    """The same request with another last turn."""
    return json.loads(json.dumps(fields).replace(RESET, question))


@pytest.mark.parametrize("apart", APART)
async def test_requests_that_differ_elsewhere_share_nothing(cached, apart):
    one, other = APART[apart]
    await cached.ask(RESET, **one)
    assert await cached.outcome(RESET, **one) == "exact"
    assert await cached.outcome(ALIKE, **instead(one, ALIKE)) == "similar"

    assert await cached.outcome(ALIKE, **instead(other, ALIKE)) == "absent"
    assert await cached.outcome(RESET, **other) != "exact"
    assert len(cached.received) >= 2


@BOTH
async def test_users_share_nothing(cached, answering):
    for user in ("ann", "bob"):
        cached.backends["a"].answer = answering(user)
        assert await cached.outcome(RESET, user) == "absent"
    for user in ("ann", "bob"):
        for question, layer in ((RESET, "exact"), (ALIKE, "similar")):
            answer = await cached.ask(question, user)
            assert (answer.outcome, answer.content) == (layer, user)
    assert await cached.outcome(ALIKE, "eve") == "absent"
    assert [await cached.outcome(RESET, None) for _ in range(2)] == [None, None]  # nobody says who it is


async def test_two_decisions_share_nothing_though_the_masked_requests_are_the_same(cached):
    text = "My mail is {}, greet me by it #mask"
    zebra = await cached.ask(text.format("zebra@example.com"))
    ann = await cached.ask(text.format(ADDRESS))
    one, other = cached.received
    assert one.json["messages"] == other.json["messages"]
    assert [answer.http.headers["x-vsr-selected-model"] for answer in (zebra, ann)] == ["b", "a"]
    assert [answer.content for answer in (zebra, ann)] == ["Hello from b", "Hello from a"]
    assert ann.outcome == "absent"


async def test_the_scope_says_who_shares(cached, answering):
    router = cached.router
    reloads = await router.metric("waypost_config_reloads_total", result="applied")

    async def scope(**cache):
        nonlocal reloads
        reloads += 1
        router.write(router.config | {"cache": router.config["cache"] | cache})
        await router.until_metric("waypost_config_reloads_total", reloads, result="applied")

    acme, umbrella = {"x-tenant": "acme"}, {"x-tenant": "umbrella"}
    await scope(scope="tenant", tenant_header="x-tenant")
    assert await cached.outcome(RESET, "ann", acme) == "absent"
    assert await cached.outcome(RESET, "bob", acme) == "exact"
    assert await cached.outcome(ALIKE, "bob", acme) == "similar"
    assert await cached.outcome(RESET, "ann", umbrella) == "absent"
    assert await cached.outcome(ALIKE, "ann", {"x-tenant": "hooli"}) == "absent"
    assert await cached.outcome(RESET, "ann") is None

    await scope(scope="global")
    assert await cached.outcome(ALIKE, "ann", acme) == "absent"
    assert await cached.outcome(ALIKE, None) == "exact"
    assert await cached.outcome(RESET, "bob") == "similar"

    # Other people's values come in no other way than by one's own request.
    text = "My mail is {}, greet me by it #mask"
    for stream in (False, True):
        for address in (ADDRESS, "bob@example.org"):
            cached.backends["a"].answer = answering("Hello <EMAIL_ADDRESS_1>!")
            answer = await cached.ask(text.format(address), None, stream=stream)
            assert address in (answer.http.text if stream else answer.content)
    asked = [request for request in cached.received if b"greet me" in request.body]
    assert len(asked) == 1
    assert b"@" not in asked[0].body

    await scope()
    assert await cached.outcome(ALIKE, None) is None


async def test_masked_answers_are_kept_masked_and_restored_for_each_request(cached, answering):
    cached.backends["a"].answer = answering("Hello <EMAIL_ADDRESS_1>!")
    for text, address, layer in (
        ("My mail is {}, greet me by it #mask", ADDRESS, "absent"),
        ("My mail is {}, greet me by it #mask", "bob@example.org", "exact"),
        ("My mail is {}, greet me with it #mask", "eve@example.net", "similar"),
    ):
        answer = await cached.ask(text.format(address))
        assert (answer.outcome, answer.content) == (layer, f"Hello {address}!")
    assert len(cached.received) == 1
