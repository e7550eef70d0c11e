"""The pages that watch: what they show of metrics, servers and records that the tests make up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

SINCE = """async ([ages, seconds]) => {
  const { since, shorter } = await import("/web/js/watch.js");
  const all = ages.map((age) => ({ time: 1000 - age, age }));
  return [since(all, seconds)?.age ?? null, shorter(all, seconds)];
}"""

SCRAPES = {
    "all that was ever counted": ([9, 0], 0, [None, None]),
    "somebody looked all the time": ([64, 62, 60, 58, 2, 0], 60, [60, None]),
    "a scrape came late": ([65, 63, 59, 0], 60, [63, None]),
    "the page was opened": ([0], 60, [0, 0]),
    "the page was opened a while ago": ([12, 10, 0], 60, [12, 12]),
    "nobody looked for a while": ([99, 97, 3, 0], 60, [3, 3]),
    "almost all of it": ([59, 0], 60, [59, None]),
}


@pytest.mark.parametrize(("ages", "seconds", "expected"), SCRAPES.values(), ids=SCRAPES)
async def test_what_is_counted_from(visit, ages, seconds, expected):
    opened = await visit("models")
    assert await opened.page.evaluate(SINCE, [ages, seconds]) == expected


class Metrics:
    """What ``/api/v1/metrics`` answers."""

    def __init__(self):
        self.requests = 30
        self.up = True

    async def answer(self, route):
        if not self.up:
            await route.abort("connectionrefused")
            return
        models = "\n".join(f'llm_routing_reason_codes_total{{model="{name}"}} {self.requests}' for name in "abc")
        await route.fulfill(status=200, body=f'waypost_responses_total{{status="200"}} {self.requests}\n{models}\n')


async def watch(visit, **more):
    """Open Live over metrics that a test changes."""
    opened, metrics = await visit("models", **more), Metrics()
    await opened.page.clock.install()
    await opened.page.route("**/api/v1/metrics", metrics.answer)
    await opened.go("live")
    return opened, metrics


def tile(opened, name):
    return opened.page.locator(".tile").filter(has=opened.page.get_by_text(opened.words[name], exact=True)).locator("b")


async def scraped(page):
    """Move the page's clock on to its next look, and wait until it is shown."""
    async with page.expect_response("**/api/v1/metrics"):
        await page.clock.fast_forward(2000)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_period_is_not_longer_than_somebody_looked(visit, language):
    opened, metrics = await watch(visit, language=language)
    page, requests = opened.page, tile(opened, "live.requests")
    await page.get_by_label(opened.words["live.window"]).select_option("minute")
    first, _, rest = opened.words["live.short"].partition("{n}")
    note = page.locator("#period")
    await note.get_by_text(first).wait_for()
    assert rest in await note.inner_text()
    metrics.requests += 7
    await scraped(page)
    await requests.get_by_text("7", exact=True).wait_for()
    await opened.page.evaluate("location.hash = '#/models'")
    await page.locator("main.models .card").first.wait_for()
    metrics.requests += 5
    await page.clock.fast_forward(97_000)
    await page.evaluate("location.hash = '#/live'")
    await requests.get_by_text("0", exact=True).wait_for()
    metrics.requests += 2
    await scraped(page)
    await requests.get_by_text("2", exact=True).wait_for()
    await page.get_by_label(opened.words["live.window"]).select_option("start")
    await requests.get_by_text("44", exact=True).wait_for()
    assert await note.inner_text() == ""


async def test_live_leaves_focus_and_scrolling_where_they_are(visit):
    opened, metrics = await watch(visit, width=380)
    page = opened.page
    wide = page.locator(".scroll")
    await wide.focus()
    await wide.evaluate("each => { each.scrollLeft = 60; each.dataset.mine = 'yes' }")
    for requests in (31, 32):
        metrics.requests = requests
        await scraped(page)
        await wide.get_by_role("cell", name=str(requests), exact=True).first.wait_for()
    script = "each => [each === document.activeElement, each.scrollLeft]"
    assert await wide.evaluate(script) == [True, 60]


async def test_live_waits_while_something_is_selected(visit):
    opened, metrics = await watch(visit)
    page, requests = opened.page, tile(opened, "live.requests")
    await requests.evaluate("each => getSelection().selectAllChildren(each)")
    metrics.requests = 31
    for _ in range(3):
        await scraped(page)
    assert await page.evaluate("getSelection().toString()") == "30"
    await page.evaluate("getSelection().removeAllRanges()")
    await scraped(page)
    await requests.get_by_text("31", exact=True).wait_for()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_router_that_is_gone_is_told_once(visit, language):
    opened, metrics = await watch(visit, language=language)
    page = opened.page
    await page.evaluate("""window.told = 0; new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const each of addedNodes) told += each.role === "alert";
    }).observe(document.getElementById("page"), { childList: true, subtree: true });""")
    metrics.up = False
    for _ in range(3):
        async with page.expect_event("requestfailed"):
            await page.clock.fast_forward(2000)
    notice = page.locator("main [role=alert]")
    await notice.wait_for()
    assert await notice.inner_text() == opened.words["state.gone"]
    assert await page.evaluate("told") == 1
    assert await page.locator(".tiles").is_visible()
    metrics.up = True
    await scraped(page)
    await notice.wait_for(state="detached")
    opened.errors.clear()  # the browser itself says that requests were refused


def server(**more):
    return {
        "url": "http://one:8000", "address": "10.0.0.1:8000", "state": "healthy",
        "requests": 0, "errors": 0, "active": 0, "connect_failures": 0,
    } | more  # fmt: skip


SERVERS = {
    "nobody asked it": (server(), None, "endpoint.unasked"),
    "nobody asked it but its health check": (server(), {"path": "/health"}, "endpoint.healthy"),
    "it was asked": (server(requests=2), None, "endpoint.healthy"),
    "it is ejected": (server(state="ejected"), None, "endpoint.ejected"),
}


@pytest.mark.parametrize(("told", "check", "word"), SERVERS.values(), ids=SERVERS)
async def test_a_server_is_healthy_only_where_somebody_asked_it(visit, told, check, word):
    opened = await visit("playground")

    async def pool(route):
        models = [{"name": "plain", "available": True, "endpoints": [told]}]
        await route.fulfill(json={"source": "envoy", "models": models})

    async def config(route):
        answer = await route.fetch()
        stored = await answer.json()
        stored["config"]["models"]["plain"]["health_check"] = check
        await route.fulfill(response=answer, json=stored)

    await opened.page.route("**/info/endpoints", pool)
    await opened.page.route("**/config/router", config)
    for where in ("models", "live"):
        await opened.go(where)
        one = opened.page.locator(".servers li").filter(has_text="http://one:8000")
        await one.get_by_text(opened.words[word], exact=True).wait_for()
        assert await one.locator(".dot.good").count() == (word == "endpoint.healthy")


NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def record(**more):
    return {
        "v": 1, "of": "b8ed954855d9", "time": NOW.timestamp(), "id": "one", "requested": "MoM", "status": 200,
        "decision": "calculate", "model": "maths", "seconds": {"router": 0.001, "total": 0.1},
    } | more  # fmt: skip


RECORDS = [
    record(cache={"hit": True, "reason": "exact", "similarity": 1.0}),
    record(id="two", aborted=True, decision="rest", cache={"hit": False, "reason": "absent"}),
    record(id="three", time=(NOW - timedelta(days=25)).timestamp(), status=503, error="no_backend"),
    record(id="four", time=(NOW - timedelta(days=100)).timestamp()),
]


async def remember(visit, **more):
    opened = await visit("models", timezone_id="UTC", **more)
    await opened.page.clock.set_fixed_time(NOW)

    async def answer(route):
        await route.fulfill(json={"path": "records.jsonl", "records": RECORDS})

    await opened.page.route("**/api/v1/records**", answer)
    await opened.go("records")
    return opened


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_records_of_other_days_have_a_date(visit, language):
    opened = await remember(visit, language=language)
    times = await opened.page.locator("tbody th").all_inner_texts()
    dates = {"en": ("Feb 23 ", "Dec 10, 2025 "), "zh": ("2月23日 ", "2025年12月10日 ")}[language]
    assert times == [f"{date}12:00:00" for date in ("", "", *dates)]


async def test_records_are_found_by_what_is_shown_and_stay_found(visit):
    opened = await remember(visit)
    filtered, rows = opened.page.get_by_label(opened.words["records.filter"]), opened.page.locator("tbody tr:visible")
    count = opened.page.locator("main [role=status]")
    told = opened.words["records.count"].format(n=4, path="records.jsonl")
    assert "last 4" in told
    assert await count.inner_text() == told
    for wanted, found in (("client left", "rest"), ("hit exact", "calculate"), ("THREE no_back", "no_backend")):
        await filtered.fill(wanted)
        assert await rows.count() == 1
        assert found in await rows.inner_text()
    async with opened.page.expect_response("**/api/v1/records**"):
        await opened.button("records.again").click()
    await rows.first.wait_for()
    assert await filtered.input_value() == "THREE no_back"
    assert await rows.count() == 1
    assert await count.inner_text() == opened.words["records.found"].format(n=1, all=4, path="records.jsonl")


async def test_a_record_tells_of_the_cache(visit):
    opened = await remember(visit)
    row = opened.page.locator("tbody tr:visible").first
    assert f"{opened.words['records.hit']} · exact" in await row.inner_text()
    await row.get_by_role("button").click()
    told = await opened.page.locator(".detail:visible").inner_text()
    assert "1.000" in told
    assert opened.words["records.similarity"] in told
