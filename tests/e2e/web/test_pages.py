"""Every page, in both languages, light and dark, wide and narrow."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = ("playground", "live", "models", "config", "topology", "records")
LOOKS = {"en": "light", "zh": "dark"}


async def violations(page):
    axe = pytest.importorskip("axe_playwright_python.async_playwright").Axe()
    found = (await axe.run(page)).response["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize("language", LOOKS)
@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_whole_and_fits_a_telephone(visit, name, language):
    opened = await visit(name, language=language, color_scheme=LOOKS[language], reduced_motion="reduce")
    assert await opened.page.locator("h1").inner_text() == opened.words[f"nav.{name}"]
    assert await opened.page.locator("nav [aria-current=page]").inner_text() == opened.words[f"nav.{name}"]
    assert await opened.page.locator("[role=alert]").count() == 0
    assert await violations(opened.page) == []
    await narrow(opened.page)
    await opened.button("frame.menu").click()
    assert await opened.page.locator("nav").is_visible()
    assert await violations(opened.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_reading_is_whole_and_fits_a_telephone(visit, scheme):
    opened = await visit("playground", color_scheme=scheme, reduced_motion="reduce")
    await opened.page.get_by_role("button", name=opened.words["sample.personal.name"]).click()
    await opened.button("composer.send").click()
    await opened.button("lane.reply").wait_for()
    await opened.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert await violations(opened.page) == []
    await narrow(opened.page)
    assert await violations(opened.page) == []


@pytest.mark.parametrize(("language", "scheme"), LOOKS.items())
async def test_a_comparison_is_whole_and_fits_a_telephone(visit, language, scheme):
    opened = await visit("playground", language=language, color_scheme=scheme, reduced_motion="reduce")
    await opened.button("playground.configs").click()
    editor = opened.page.locator(".editor textarea")
    await editor.fill((await editor.input_value()).replace('"calculate"', '"reckon"'))
    await opened.page.locator(".composer textarea").first.fill("prove it")
    await opened.button("trial.try").click()
    await opened.page.locator(".differs").first.wait_for()
    assert await violations(opened.page) == []
    await narrow(opened.page)
    assert await violations(opened.page) == []


async def narrow(page):
    """Make it as wide as a telephone; nothing may reach over its edge."""
    await page.set_viewport_size({"width": 380, "height": 900})
    assert await page.evaluate("document.documentElement.scrollWidth") == 380


async def test_language_and_appearance_are_remembered(visit):
    opened = await visit("models")
    await opened.page.get_by_label(opened.words["frame.theme"]).select_option("dark")
    await opened.page.get_by_role("button", name="中文").click()
    await opened.page.get_by_role("heading", name="模型", exact=True).wait_for()
    await opened.page.reload()
    await opened.page.get_by_role("heading", name="模型", exact=True).wait_for()
    assert await opened.page.evaluate("[document.documentElement.lang, document.documentElement.dataset.theme]") == [
        "zh-CN",
        "dark",
    ]


async def test_the_keyboard_is_enough(visit):
    opened = await visit("models")
    await opened.page.keyboard.press("Tab")
    await opened.page.keyboard.press("Enter")  # the link over the navigation
    assert await opened.page.evaluate("document.activeElement.id") == "page"
    await opened.page.locator("nav a").first.focus()
    await opened.page.keyboard.press("Enter")
    await opened.page.locator(".composer textarea").first.wait_for()
    assert await opened.page.evaluate("document.activeElement.tagName") == "H1"
    await opened.page.locator(".composer textarea").first.focus()
    await opened.page.keyboard.type("prove it")
    await opened.page.keyboard.press("Control+Enter")
    await opened.button("lane.reply").wait_for()
