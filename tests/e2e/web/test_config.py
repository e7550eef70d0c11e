"""The configuration page loses nothing that was typed, and says nothing about a text that it has not checked."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib

import pytest
import pytest_asyncio

from serving import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIG = "**/config/router"
VALIDATE = "**/config/router/validate"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own(start):
    """A router whose configuration is nobody else's."""
    return await start()


@pytest_asyncio.fixture(loop_scope="session")
async def opened(visit, own):
    """The page, and afterwards the file as it was."""
    before = own.path.read_bytes()
    opened = await visit("config", at=own)
    await opened.page.locator(".problems h2").get_by_text(opened.words["config.valid"]).wait_for()
    yield opened
    own.path.write_bytes(before)


def area(opened):
    return opened.page.locator(".editor textarea")


async def rename(opened, name):
    """Change the file's text, and wait until it may be applied."""
    await area(opened).fill((await area(opened).input_value()).replace('"calculate"', f'"{name}"'))
    await opened.page.locator(".button.primary:enabled").wait_for()


@contextlib.asynccontextmanager
async def held(page, url, method):
    """Hold the requests of this kind back meanwhile; yields what tells that one has come, and all that came."""
    came, go, requests = asyncio.Event(), asyncio.Event(), []

    async def hold(route):
        if route.request.method == method:
            requests.append(route.request)
            came.set()
            await go.wait()
        await route.continue_()

    await page.route(url, hold)
    yield came, requests
    go.set()


async def test_a_draft_is_not_rolled_back_over(opened):
    await rename(opened, "reckon")
    await opened.button("config.apply").click()
    await opened.page.locator(".notice.good").wait_for()
    back = opened.button("config.back")
    assert await back.is_enabled()
    await area(opened).press("End")
    await area(opened).press("Space")
    assert await back.is_disabled()
    assert await back.get_attribute("title") == opened.words["config.back.first"]
    await opened.button("config.drop").click()
    await opened.page.wait_for_function("document.activeElement.closest('.editor')")
    await back.click()
    told = opened.words["config.went_back"].partition("{")[0]
    await opened.page.locator(".notice.good").get_by_text(told).wait_for()


async def test_what_was_just_typed_outlives_the_page(opened):
    text = await area(opened).input_value() + "\n"
    await opened.page.evaluate(  # in one go: nothing is checked before the page is left
        """text => {
            const area = document.querySelector('.editor textarea');
            area.value = text;
            area.dispatchEvent(new Event('input', {bubbles: true}));
            location.hash = '#/models';
        }""",
        text,
    )
    await opened.page.locator("main h1").get_by_text(opened.words["nav.models"]).wait_for()
    await opened.go("config")
    assert await area(opened).input_value() == text


async def test_a_change_is_put_once_and_nothing_is_typed_meanwhile(opened):
    await rename(opened, "reckon")
    async with held(opened.page, CONFIG, "PUT") as (came, requests):
        await opened.button("config.apply").dblclick()
        async with asyncio.timeout(PATIENCE):
            await came.wait()
        for name in ("apply", "drop", "back"):
            assert await opened.button(f"config.{name}").is_disabled()
        assert not await area(opened).is_editable()
    await opened.page.locator(".notice.good").wait_for()
    assert len(requests) == 1
    assert await area(opened).is_editable()


async def test_the_focus_goes_to_what_is_told(opened, own):
    focused = opened.page.locator(":focus .notice")
    await rename(opened, "reckon")
    await opened.button("config.apply").press("Enter")
    await focused.get_by_text(opened.words["config.applied"].partition("{")[0]).wait_for()
    await area(opened).fill((await area(opened).input_value()).replace('"reckon"', '"tally"'))
    await opened.page.locator(".button.primary:enabled").wait_for()
    own.path.write_bytes(own.path.read_bytes() + b"\n")
    await opened.button("config.apply").press("Enter")
    await opened.page.locator(":focus [role=alert]").wait_for()
    await opened.button("config.rebase").press("Enter")
    await focused.get_by_text(opened.words["config.rebased"]).wait_for()
    opened.errors.clear()  # the browser itself says that the answer was a 409


async def test_the_new_file_is_compared_with_its_own_revision(opened, own):
    await rename(opened, "reckon")
    theirs = own.path.read_bytes() + b"\n"
    own.path.write_bytes(theirs)
    await opened.button("config.apply").click()
    await opened.button("config.rebase").click()
    revision = hashlib.sha256(theirs).hexdigest()[:12]
    await opened.page.locator(".facts").get_by_text(revision).wait_for()
    assert await opened.page.locator(".diff .less").count() == 2  # the name, and their empty line
    opened.errors.clear()  # the browser itself says that the answer was a 409


async def test_a_text_is_not_valid_before_it_is_checked(opened):
    await rename(opened, "reckon")
    heading, apply = opened.page.locator(".problems h2"), opened.button("config.apply")
    async with held(opened.page, VALIDATE, "POST") as (came, _):
        text = await area(opened).input_value()
        await area(opened).fill(text.replace('"default_model": "plain"', '"default_model": "plane"'))
        async with asyncio.timeout(PATIENCE):
            await came.wait()
        assert await heading.inner_text() == opened.words["config.checking"]
        assert await apply.is_disabled()
    await opened.page.locator(".problem.bad").wait_for()
    assert await apply.is_disabled()


async def test_a_late_verdict_is_not_shown(opened):
    text = await area(opened).input_value()
    came, go = asyncio.Event(), asyncio.Event()

    async def hold_first(route):
        if not came.is_set():
            came.set()
            await go.wait()
        await route.continue_()

    await opened.page.route(VALIDATE, hold_first)
    await area(opened).fill(text.replace('"calculate"', '"reckon"'))
    async with asyncio.timeout(PATIENCE):
        await came.wait()
    await area(opened).fill(text.replace('"default_model": "plain"', '"default_model": "plane"'))
    await opened.page.locator(".problem.bad").wait_for()
    async with opened.page.expect_event("requestfinished", lambda request: "reckon" in (request.post_data or "")):
        go.set()
    await opened.page.evaluate("fetch('ready').then((answer) => answer.text())")  # what was read before is shown by now
    assert await opened.page.locator(".problem.bad").is_visible()


async def test_a_file_with_other_line_ends_keeps_them(visit, own):
    before = own.path.read_bytes()
    own.path.write_bytes(before.replace(b"\n", b"\r\n"))
    try:
        opened = await visit("config", at=own)
        await opened.page.locator(".problems h2").get_by_text(opened.words["config.valid"]).wait_for()
        assert await opened.page.locator(".diff").count() == 0
        assert await opened.button("config.apply").is_disabled()
        await rename(opened, "reckon")
        assert await opened.page.locator(".diff :is(.more, .less)").count() == 2
        await opened.button("config.apply").click()
        await opened.page.locator(".notice.good").wait_for()
        assert own.path.read_bytes() == before.replace(b'"calculate"', b'"reckon"').replace(b"\n", b"\r\n")
        await opened.go("playground")
        await opened.button("playground.configs").click()
        await opened.page.get_by_text(opened.words["trial.same"]).wait_for()
        editor = opened.page.locator(".editor textarea")
        await editor.fill((await editor.input_value()).replace('"reckon"', '"tally"'))
        await opened.page.locator(".diff").wait_for()
        assert await opened.page.locator(".diff :is(.more, .less)").count() == 2
    finally:
        own.path.write_bytes(before)
