"""Live, records, topology and configuration, over what really goes through the router."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def chat(router, text):
    listener = json.loads(router.path.read_text())["listeners"]["http"]
    body = {"model": "MoM", "messages": [{"role": "user", "content": text}]}
    async with httpx.AsyncClient(base_url=f"http://{listener}", trust_env=False, timeout=60) as http:
        return await http.post("/v1/chat/completions", json=body)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def own(start):
    """A router whose configuration and counts are nobody else's."""
    return await start()


async def test_live_counts_what_passes(visit, own):
    opened = await visit("live", at=own)
    await opened.page.get_by_text(opened.words["live.nothing"]).wait_for()
    for text in ("sum this", "sum that", "anything"):
        await chat(own, text)
    decisions = opened.page.locator(
        ".card", has=opened.page.get_by_role("heading", name=opened.words["live.decisions"])
    )
    await decisions.get_by_text("rest").wait_for()
    assert (await decisions.locator("li").first.inner_text()).split() == ["calculate", "2"]
    row = opened.page.get_by_role("row").filter(has_text="maths")
    assert (await row.inner_text()).split()[:2] == ["maths", "2"]


async def test_the_health_of_servers_is_told(visit, own):
    backend = own.backends["maths"]
    backend.status = 500
    try:
        await chat(own, "sum this")
    finally:
        backend.status = 200
    opened = await visit("models", at=own)
    for where in ("models", "live"):
        await opened.go(where)
        server = opened.page.locator(".servers li").filter(has_text=backend.url)
        await server.get_by_text(opened.words["endpoint.healthy"]).wait_for()
        assert opened.words["endpoint.counts"].rpartition("{errors}")[2] in await server.inner_text()


async def test_records_are_listed_and_opened(visit, own):
    answer = await chat(own, "prove this")
    async with asyncio.timeout(60), httpx.AsyncClient(base_url=own.url, trust_env=False) as http:
        while answer.headers["x-request-id"] not in (await http.get("/api/v1/records")).text:
            await asyncio.sleep(0.05)  # records are written behind the request
    opened = await visit("records", at=own)
    row = opened.page.get_by_role("row").filter(has_text="calculate").first
    await row.get_by_role("button").click()
    detail = opened.page.locator(".detail:visible")
    assert answer.headers["x-request-id"] in await detail.inner_text()
    await opened.page.get_by_label(opened.words["records.filter"]).fill("no-such-thing")
    assert await opened.page.locator("tbody tr").count() == 0


async def test_a_request_walks_its_way(visit):
    opened = await visit("topology")
    await opened.page.locator(".walker").wait_for()
    await opened.page.locator(".walker").wait_for(state="detached")
    lit = await opened.page.locator(".box.lit .name").all_text_contents()
    assert "maths" in lit
    assert "plain" not in lit


async def test_nothing_moves_for_who_does_not_want_it(visit):
    opened = await visit("topology", reduced_motion="reduce")
    await opened.page.locator(".steps li").first.wait_for()
    assert await opened.page.locator(".walker").count() == 0
    assert await opened.page.locator(".box.lit").count() > 0


async def test_a_mistake_is_shown_at_its_line(visit, own):
    opened = await visit("config", at=own)
    area = opened.page.locator(".editor textarea")
    before = await area.input_value()
    await area.fill(before.replace('"default_model": "plain"', '"default_model": "plane"'))
    problem = opened.page.locator(".problem.bad")
    await problem.wait_for()
    assert "plane" in await problem.inner_text()
    assert await opened.page.locator(".numbers .wrong").count() == 1
    assert await opened.button("config.apply").is_disabled()
    await problem.click()
    assert await area.evaluate("each => each.value.slice(0, each.selectionStart).split('\\n').length") == int(
        await opened.page.locator(".numbers .wrong").inner_text()
    )
    await opened.button("config.drop").click()
    await opened.page.locator(".problem.bad").wait_for(state="detached")
    assert own.path.read_text() == before


async def test_help_is_about_where_the_cursor_is(visit, own):
    opened = await visit("config", at=own)
    area = opened.page.locator(".editor textarea")
    await area.fill("models:\n  a:\n    endpoints:\n      - url: http://x\n        weight: 1\n")
    await area.evaluate("each => each.setSelectionRange(each.value.length - 3, each.value.length - 3)")
    await area.press("Shift")
    helping = opened.page.locator(".beside .card").last
    await helping.get_by_text("models.a.endpoints[].weight").wait_for()
    assert "relative to its other endpoints" in await helping.inner_text()


async def test_a_change_is_applied_and_rolled_back(visit, own):
    opened = await visit("config", at=own)
    area = opened.page.locator(".editor textarea")
    before = own.path.read_text()
    await area.fill(before.replace('"calculate"', '"reckon"'))
    await opened.page.locator(".diff .more").wait_for()
    assert "reckon" in await opened.page.locator(".diff .more").inner_text()
    await opened.page.locator(".button.primary:enabled").wait_for()
    await opened.button("config.apply").click()
    await opened.page.locator(".notice.good").wait_for()
    assert (await chat(own, "sum")).headers["x-vsr-selected-decision"] == "reckon"
    await opened.button("config.back").click()
    told = opened.words["config.went_back"].partition("{")[0]
    await opened.page.locator(".notice.good").get_by_text(told).wait_for()
    assert await area.input_value() == before
    assert own.path.read_text() == before


async def test_two_operators_do_not_overwrite_each_other(visit, own):
    opened = await visit("config", at=own)
    before = own.path.read_text()
    await opened.page.locator(".editor textarea").fill(before.replace('"calculate"', '"reckon"'))
    await opened.page.locator(".button.primary:enabled").wait_for()
    own.path.write_text(before + "\n")
    await opened.button("config.apply").click()
    await opened.button("config.rebase").wait_for()
    assert "reckon" not in own.path.read_text()
    opened.errors.clear()  # the browser itself says that the answer was a 409
    own.path.write_text(before)


async def test_a_token_is_asked_for_once(visit, guarded, tokens):
    opened = await visit("models", at=guarded, wait=False)
    dialog = opened.page.get_by_role("dialog")
    for token, answer in (("not-the-token", "token.wrong"), (tokens["read"], None)):
        await dialog.get_by_label(opened.words["token.label"]).fill(token)
        await opened.button("token.use").click()
        if answer:
            await dialog.get_by_text(opened.words[answer]).wait_for()
    await opened.page.get_by_role("heading", name="maths").wait_for()
    await opened.go("live")
    assert await dialog.count() == 0
    await opened.go("config")
    await opened.page.locator(".problems [role=alert]").wait_for()
    assert "operate" in await opened.page.locator(".problems").inner_text()
    assert await opened.page.evaluate("Object.keys(localStorage)") == []
    opened.errors.clear()  # the browser itself says that answers were a 401 or a 403
