"""What holds on every page: tokens, a router that is away for a while, and what the frame tells of it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def polled(page, path, times):
    """Wait for so many answers to what a page asks again and again, and move the page's clock on between them."""
    for _ in range(times):
        async with page.expect_response(lambda response: path in response.url):
            await page.clock.fast_forward(10_000)


@asynccontextmanager
async def away(page):
    """Nothing but the pages themselves is answered, as while the router restarts."""
    asked = lambda url: "/web/" not in url and "#" not in url and not url.endswith("/")  # noqa: E731

    async def refuse(route):
        await route.abort("connectionrefused")

    await page.route(asked, refuse)
    yield
    await page.unroute(asked, refuse)


async def tells_ready(page, **more):
    """Have ``/ready`` tell more than the tests' router can."""

    async def answer(route):
        told = {"version": "1", "config": "", "reload_error": None, "guards": {}, "workers": None}
        body = {"status": "ready", "checks": {"router": True}} | told | more
        await route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    await page.route("**/ready", answer)


async def give(opened, token):
    await opened.page.get_by_role("dialog").get_by_label(opened.words["token.label"]).fill(token)
    await opened.button("token.use").click()


async def test_who_closes_the_question_for_a_token_is_not_asked_again(visit, guarded, tokens):
    opened = await visit("live", at=guarded, wait=False)
    page, dialog = opened.page, opened.page.get_by_role("dialog")
    await dialog.wait_for()
    await page.clock.install()
    await page.keyboard.press("Escape")
    notice = page.locator("main [role=alert]").get_by_text(opened.words["token.why"])
    await notice.wait_for()
    for path in ("/api/v1/metrics", "/config/router"):
        await polled(page, path, 3)
        assert await dialog.count() == 0
    await page.evaluate("location.hash = '#/models'")
    await page.locator("main.models").wait_for()
    await notice.wait_for()
    assert await dialog.count() == 0
    await page.locator("main").get_by_role("button", name=opened.words["token.another"]).click()
    await give(opened, tokens["read"])
    await page.locator("main .servers").first.wait_for()
    assert await page.locator("[role=alert]").count() == 0
    opened.errors.clear()  # the browser itself says that answers were a 401


@pytest.mark.parametrize("where", ["frame", "notice"])
async def test_a_token_is_exchanged_for_one_with_another_role(visit, guarded, tokens, where):
    opened = await visit("config", at=guarded, wait=False)
    await give(opened, tokens["read"])
    notice = opened.page.locator(".problems [role=alert]")
    await notice.wait_for()
    place = opened.page.locator("#frame") if where == "frame" else notice
    await place.get_by_role("button", name=opened.words["token.another"]).click()
    await give(opened, tokens["operate"])
    await opened.page.locator(".problems").get_by_text(opened.words["config.valid"], exact=True).wait_for()
    opened.errors.clear()  # the browser itself says that answers were a 401 or a 403


async def test_nobody_speaks_of_tokens_where_there_are_none(visit):
    opened = await visit("models")
    assert await opened.button("token.another").count() == 0


async def test_a_router_that_hangs_is_told_as_gone(visit):
    opened = await visit("models")
    page, state = opened.page, opened.page.locator("#frame .state")
    await state.get_by_text(opened.words["state.ready"]).wait_for()
    hanging = []
    await page.clock.install()
    await page.route("**/ready", lambda route: hanging.append(route))  # and no answer
    async with page.expect_request("**/ready"):
        await page.reload()
    await page.clock.fast_forward(60_000)
    assert len(hanging) == 1, "asked again before the last was over"
    await state.get_by_text(opened.words["state.gone"]).wait_for()
    await page.unroute("**/ready")
    await page.route("**/ready", lambda route: route.fulfill(json={"error": "a proxy's"}))
    await polled(page, "/ready", 2)
    assert await state.inner_text() == opened.words["state.gone"]
    await page.unroute("**/ready")
    await page.clock.fast_forward(10_000)
    await state.get_by_text(opened.words["state.ready"]).wait_for()
    opened.errors.clear()  # the browser itself says that a request was aborted


@pytest.mark.parametrize("name", ["playground", "models", "config", "topology", "records"])
async def test_a_page_opened_during_a_restart_recovers(visit, name):
    opened = await visit("models" if name != "models" else "records", language="zh")
    page = opened.page
    await page.clock.install()
    async with away(page):
        await page.goto(f"{opened.router.url}/#/{name}")
        await page.locator("main [role=alert]").wait_for()
        assert opened.words["state.gone"] in await page.locator("main [role=alert]").inner_text()
        await page.locator("#frame .state").get_by_text(opened.words["state.gone"]).wait_for()
    await page.clock.fast_forward(10_000)
    await page.locator("#frame .state").get_by_text(opened.words["state.ready"]).wait_for()
    await page.locator("main:not(:has(.waiting)):not(:has([role=alert]))").wait_for()
    opened.errors.clear()  # the browser itself says that requests were refused


@pytest.mark.parametrize("name", ["playground", "models", "config", "topology", "records"])
async def test_a_page_that_failed_is_tried_again(visit, name):
    opened = await visit("models" if name != "models" else "records")
    page = opened.page
    await tells_ready(page)
    await page.clock.install()
    await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))  # only the button is of use now
    async with away(page):
        await page.goto(f"{opened.router.url}/#/{name}")
        await page.locator("main [role=alert]").wait_for()
    await opened.button("state.again").focus()
    await page.keyboard.press("Enter")
    await page.locator("main:not(:has(.waiting)):not(:has([role=alert]))").wait_for()
    assert await page.evaluate("document.activeElement.tagName") in ("H1", "BUTTON")
    opened.errors.clear()  # the browser itself says that requests were refused


async def test_escape_closes_the_menu(visit):
    opened = await visit("models", width=380)
    menu = opened.button("frame.menu")
    await menu.click()
    await opened.page.locator("nav a").first.focus()
    await opened.page.keyboard.press("Escape")
    assert await menu.get_attribute("aria-expanded") == "false"
    assert not await opened.page.locator("nav").is_visible()
    assert await menu.evaluate("each => each === document.activeElement")


async def test_what_is_wrong_while_requests_are_served_is_told(visit):
    opened = await visit("models", wait=False)
    why = {"jailbreak": "the encoder is busy", "pii": "ok"}
    await tells_ready(opened.page, guards=why, workers={"alive": 1, "wanted": 2}, reload_error="models: missing")
    await opened.page.reload()
    state = opened.page.locator("#frame .state")
    await state.get_by_role("link", name=opened.words["state.reload"]).wait_for()
    told = await state.inner_text()
    assert opened.words["state.guard"].replace("{name}", "jailbreak") in told
    assert opened.words["state.guard"].replace("{name}", "pii") not in told
    assert opened.words["state.workers"].format(alive=1, wanted=2) in told
    await state.get_by_role("link").click()
    await opened.page.get_by_role("heading", name=opened.words["nav.config"], exact=True).wait_for()
