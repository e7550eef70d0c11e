"""The playground never shows one prompt with another's result, and never waits for what does not come."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
import pytest_asyncio

from serving import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVAL = "**/api/v1/eval"
CHAT = "**/api/v1/playground/chat"
FOCUSED = "document.activeElement.textContent"


def link(*lanes):
    return "playground?s=" + base64.urlsafe_b64encode(json.dumps(lanes).encode()).decode().rstrip("=")


def shared(opened):
    packed = opened.page.url.partition("s=")[2]
    return json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))


def prompt(opened):
    return opened.page.locator(".composer textarea").first


def tools(opened):
    return opened.page.get_by_label(opened.words["composer.tools"])


async def ask(opened, text, button="composer.send"):
    await prompt(opened).fill(text)
    await opened.button(button).first.click()


async def shows(opened, *way):
    """Wait until the first reading says this."""
    await opened.page.wait_for_function(
        "way => document.querySelector('.way')?.innerText.split(/\\s+/).join(' ') === way", arg=" ".join(way)
    )


async def answers(opened, text, **headers):
    """Have every chat answered like this."""
    said = {"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}
    usage = {"choices": [], "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000}}
    body = "".join(f"data: {each}\n\n" for each in (json.dumps(said), json.dumps(usage), "[DONE]"))
    headers = {"content-type": "text/event-stream", "x-vsr-selected-model": "maths"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }

    async def answer(route):
        await route.fulfill(status=200, headers=headers, body=body)

    await opened.page.route(CHAT, answer)


@pytest_asyncio.fixture(loop_scope="session")
async def halting(router):
    """A backend that stops after the first word; yields what lets it go on."""
    backend, gate = router.backends["plain"], asyncio.Event()
    backend.gates, backend.aborted = {1: gate}, asyncio.Event()
    yield gate
    gate.set()
    backend.gates = {}


async def coming(opened, text="tell me a story"):
    """Send, and wait until the answer has begun."""
    await ask(opened, text)
    await opened.page.locator(".answer.coming").get_by_text("Hello").wait_for()


async def test_tools_that_are_no_list_are_refused_where_they_stand(visit):
    opened = await visit("playground")
    await opened.page.get_by_text(opened.words["composer.more"]).click()
    await tools(opened).fill("[{")
    await opened.page.get_by_role("button", name=opened.words["sample.math.name"]).click()
    assert await opened.page.locator(".waiting").count() == 0
    assert await tools(opened).evaluate("each => each === document.activeElement")

    for page in ("live", "playground"):  # what the field held against it must hold again
        await opened.page.locator(f"nav [href='#/{page}']").click()
        await opened.page.locator("main h1").get_by_text(opened.words[f"nav.{page}"]).wait_for()
    details = opened.page.locator(".composer details")
    await details.evaluate("each => { each.open = false; }")
    await opened.button("composer.send").click()
    assert await opened.button("composer.send").is_visible()
    assert await details.evaluate("each => each.open")
    await tools(opened).fill("[]")
    await opened.button("composer.send").click()
    await opened.button("lane.reply").wait_for()


async def test_tools_that_are_no_list_are_told_where_a_link_holds_them(visit):
    opened = await visit(link({"messages": [{"role": "user", "content": "sum"}], "tools": "[{"}))
    alert = opened.page.get_by_role("alert")
    assert opened.words["composer.no_list"] in await alert.inner_text()
    await tools(opened).fill("")
    await opened.button("composer.explain").click()
    await shows(opened, "calculate", "→", "maths")
    assert await alert.count() == 0


DAMAGED = {
    "messages that are a word": [{"messages": "x"}],
    "a message that is a number": [{"messages": [5]}],
    "a role of its own": [{"messages": [{"role": "evil", "content": "a"}]}],
    "a message of parts": [{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}],
    "tools that are a number": [{"messages": [{"role": "user", "content": "a"}], "tools": 5}],
    "a second lane": [{"messages": [{"role": "user", "content": "a"}]}, {"tools": 5}],
    "no lane": [],
}


@pytest.mark.parametrize("lanes", DAMAGED.values(), ids=DAMAGED)
async def test_a_damaged_link_is_told_as_such(visit, lanes):
    opened = await visit(link(*lanes))
    assert await opened.page.get_by_role("alert").inner_text() == opened.words["playground.damaged"]
    await ask(opened, "sum", "composer.explain")
    await shows(opened, "calculate", "→", "maths")


async def test_a_lane_without_messages_is_an_empty_one(visit):
    opened = await visit(link({"messages": []}))
    await ask(opened, "sum", "composer.explain")
    await shows(opened, "calculate", "→", "maths")


async def test_a_model_that_only_the_link_names_is_shown(visit):
    opened = await visit(link({"messages": [{"role": "user", "content": "sum"}], "model": "other"}))
    assert await opened.page.get_by_label(opened.words["composer.model"]).input_value() == "other"
    await opened.page.get_by_role("alert").wait_for()
    opened.errors.clear()  # the browser itself says that there is no such model


async def test_a_late_explanation_is_nobodys(visit):
    opened = await visit("playground")
    late, held = [], asyncio.Event()

    async def hold(route):
        if "sum" in route.request.post_data:
            late.append(route.request)
            held.set()
        else:
            await route.continue_()

    await opened.page.route(EVAL, hold)
    await ask(opened, "sum", "composer.explain")
    async with asyncio.timeout(PATIENCE):
        await held.wait()
        async with opened.page.expect_event("requestfailed", lambda request: request in late):
            await ask(opened, "anything", "composer.explain")
    await shows(opened, "rest", "→", "plain")


async def test_an_example_ends_the_answer_before_it(visit, router, halting):
    opened = await visit("playground")
    await coming(opened)
    await opened.page.get_by_role("button", name=opened.words["sample.attack.name"]).click()
    await opened.page.locator(".outcome.blocked").wait_for()
    assert await opened.page.locator(".answer").is_hidden()
    assert await opened.button("composer.send").is_visible()
    async with asyncio.timeout(PATIENCE):
        await router.backends["plain"].aborted.wait()


async def test_an_answer_stays_with_its_prompt(visit):
    opened = await visit("playground")
    await answers(opened, "Four.")
    await ask(opened, "sum")
    reply, cost = opened.button("lane.reply"), opened.page.get_by_role("heading", name=opened.words["cost.title"])
    await reply.wait_for()
    earlier = [opened.page.get_by_text(opened.words[f"{name}.earlier"]) for name in ("answer", "lane")]
    assert [await each.is_visible() for each in (*earlier, cost)] == [False, False, True]

    await opened.button("composer.explain").click()  # the same again
    await shows(opened, "calculate", "→", "maths")
    assert await opened.page.locator(".said-by-model").inner_text() == "Four."

    await prompt(opened).fill("anything")
    for each in earlier:
        await each.wait_for()
    assert await reply.is_disabled()
    await prompt(opened).fill("sum")
    assert [await each.is_visible() for each in earlier] == [False, False]
    assert await reply.is_enabled()

    await ask(opened, "anything", "composer.explain")
    await shows(opened, "rest", "→", "plain")
    assert [await each.is_visible() for each in (*earlier, cost)] == [False, False, False]
    assert await opened.page.locator(".answer").is_hidden()


async def test_a_tried_configuration_is_known_to_be_an_earlier_one(visit):
    opened = await visit("playground")
    await opened.button("playground.configs").click()
    await ask(opened, "sum", "trial.try")
    await opened.page.locator(".comparison").wait_for()
    earlier = opened.page.get_by_text(opened.words["trial.earlier"])
    assert await earlier.is_hidden()
    editor = opened.page.locator(".editor textarea")
    await editor.fill((await editor.input_value()).replace('"calculate"', '"reckon"'))
    await earlier.wait_for()


async def test_comparing_stops_an_answer_that_comes_in(visit, halting):
    opened = await visit("playground")
    await coming(opened)
    await opened.button("playground.prompts").click()
    await opened.page.locator(".lane").nth(1).wait_for()
    answer = opened.page.locator(".answer").first
    assert opened.words["answer.stopped"] in await answer.inner_text()
    assert await opened.page.locator(".answer.coming").count() == 0
    assert await opened.button("composer.send").count() == 2


async def test_comparing_explains_again_what_was_being_explained(visit):
    opened = await visit("playground")
    held = asyncio.Event()

    async def hold_first(route):
        if held.is_set():
            await route.continue_()
        held.set()

    await opened.page.route(EVAL, hold_first)
    await ask(opened, "sum", "composer.explain")
    async with asyncio.timeout(PATIENCE):
        await held.wait()
    await opened.button("playground.prompts").click()
    await shows(opened, "calculate", "→", "maths")


async def test_the_keyboard_stays_where_it_is(visit, halting):
    opened = await visit("playground")
    await prompt(opened).fill("tell me a story")
    await opened.button("composer.send").focus()
    await opened.page.keyboard.down("Enter")
    await opened.page.locator(".answer.coming").get_by_text("Hello").wait_for()
    await opened.page.keyboard.down("Enter")  # held for long: it does not press what has come there
    await opened.page.keyboard.up("Enter")
    assert await opened.page.evaluate(FOCUSED) == opened.words["composer.stop"]
    await opened.button("composer.stop").press("Enter")
    await opened.button("composer.send").wait_for()
    assert await opened.page.evaluate(FOCUSED) == opened.words["composer.send"]


async def test_the_end_of_an_answer_is_announced(visit, halting):
    opened = await visit("playground")
    await coming(opened)
    said = opened.page.locator("#announce")
    assert await said.text_content() != opened.words["answer.ended"]
    halting.set()
    await said.get_by_text(opened.words["answer.ended"]).wait_for(state="attached")


async def test_what_is_written_from_the_right_stands_there(visit):
    opened = await visit("playground")
    await answers(opened, "باريس.")
    await ask(opened, "ما هي عاصمة فرنسا؟")
    await opened.button("lane.reply").wait_for()
    direction = "each => getComputedStyle(each).direction"
    for each in (prompt(opened), opened.page.locator(".said-by-model")):
        assert await each.evaluate(direction) == "rtl"
    await prompt(opened).fill("What is the capital?")
    assert await prompt(opened).evaluate(direction) == "ltr"


async def test_an_answer_out_of_the_cache_costs_nothing(visit):
    opened = await visit("playground")
    await answers(opened, "Four.", x_vsr_cache_hit="true")
    await ask(opened, "sum")
    cost = opened.page.locator(".card", has=opened.page.get_by_role("heading", name=opened.words["cost.title"]))
    lines = (await cost.inner_text()).split("\n")
    assert {f"0 USD ({opened.words['cost.cached']})", "40 USD", "40 USD (100 %)"} <= set(lines)


async def test_a_link_that_was_copied_is_of_what_is_there(visit):
    opened = await visit("playground", permissions=["clipboard-read", "clipboard-write"])
    await prompt(opened).fill("sum")
    await opened.button("composer.add").click()
    await opened.page.get_by_label(opened.words["composer.role"].format(n=1)).select_option("system")
    assert [each["role"] for each in shared(opened)[0]["messages"]] == ["system", "user"]
    await opened.button("playground.copy").click()
    await opened.button("playground.copied").wait_for()
    assert await opened.page.evaluate("navigator.clipboard.readText()") == opened.page.url
    await opened.page.get_by_label(opened.words["composer.remove"].format(n=2)).click()
    assert len(shared(opened)[0]["messages"]) == 1


CLIPBOARDS = {"none": "undefined", "a refusing one": "{writeText: () => Promise.reject(new Error('denied'))}"}


@pytest.mark.parametrize("clipboard", CLIPBOARDS.values(), ids=CLIPBOARDS)
async def test_a_link_that_cannot_be_copied_is_shown(visit, clipboard):
    opened = await visit("playground")
    await opened.page.evaluate(f"Object.defineProperty(navigator, 'clipboard', {{value: {clipboard}}}) && null")
    await prompt(opened).fill("sum")
    await opened.button("playground.copy").click()
    field = opened.page.get_by_label(opened.words["playground.not_copied"])
    await field.wait_for()
    assert await opened.page.evaluate("getSelection().toString()") == opened.page.url
    assert await opened.button("playground.copied").count() == 0
    await prompt(opened).fill("add")
    assert await field.input_value() == opened.page.url
