"""The scripts that compute, in the browser that runs them."""

from __future__ import annotations

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL = "async ([module, name, args]) => (await import(`/web/js/${module}.js`))[name](...args)"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browser, router):
    """One page for all: nothing here changes it."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{router.url}/#/models")
    yield page
    await context.close()


async def call(page, module, name, *args):
    return await page.evaluate(CALL, [module, name, list(args)])


YAML = """version: 1
models:
  a:
    endpoints:
    - {url: http://x, weight: 1}
    pricing: {currency: USD, prompt_per_1m: 2}
  # remark

routing:
  decisions:
    - name: x
      when:
        all:
          - keyword: y
      models:
"""

PLACES = {
    "a key": ("version", ["version"]),
    "a key below": ("endpoints", ["models", "a", "endpoints"]),
    "a list in its key's column": ("- {", ["models", "a", "endpoints", 0]),
    "braces in a list": ("weight: 1", ["models", "a", "endpoints", 0, "weight"]),
    "braces": ("prompt_per_1m: 2", ["models", "a", "pricing", "prompt_per_1m"]),
    "a list's first key": ("name: x", ["routing", "decisions", 0, "name"]),
    "a list in a list": ("keyword: y", ["routing", "decisions", 0, "when", "all", 0, "keyword"]),
    "a list's last key": ("      models:", ["routing", "decisions", 0, "models"]),
}


@pytest.mark.parametrize(("text", "place"), PLACES.values(), ids=PLACES)
async def test_the_place_of_the_cursor(page, text, place):
    assert await call(page, "yaml-place", "placeAt", YAML, YAML.index(text) + len(text)) == place


DIFFS = {
    "nothing": ("a\nb", "a\nb", "  "),
    "a line more": ("a\nc", "a\nb\nc", " + "),
    "a line less": ("a\nb\nc", "a\nc", " - "),
    "another line": ("a\nb\nc", "a\nx\nc", " -+ "),
    "everything": ("a", "b", "-+"),
    "moved": ("a\nb\nc", "c\na\nb", "+  -"),
}


@pytest.mark.parametrize(("old", "new", "signs"), DIFFS.values(), ids=DIFFS)
async def test_differences(page, old, new, signs):
    rows = await call(page, "diff", "diff", old, new)
    assert "".join({"same": " ", "more": "+", "less": "-"}[row["kind"]] for row in rows) == signs
    assert "\n".join(row["line"] for row in rows if row["kind"] != "more") == old
    assert "\n".join(row["line"] for row in rows if row["kind"] != "less") == new


BUCKETS = [("0.1", 10), ("1", 30), ("10", 40), ("+Inf", 40)]


@pytest.mark.parametrize(("q", "expected"), [(0.25, 0.1), (0.5, 0.55), (0.75, 1.0), (1.0, 10.0)])
async def test_quantiles_are_those_of_prometheus(page, q, expected):
    buckets = [{"labels": {"le": le}, "value": count} for le, count in BUCKETS]
    assert await call(page, "promtext", "quantile", buckets, q) == pytest.approx(expected)


async def test_what_is_beyond_the_last_bucket_is_at_its_edge(page):
    buckets = [{"labels": {"le": "1"}, "value": 1}, {"labels": {"le": "+Inf"}, "value": 10}]
    assert await call(page, "promtext", "quantile", buckets, 0.9) == 1


async def test_the_exposition_is_read(page):
    text = '# HELP a b\na_total{x="1, \\"2\\"",y="z"} 3.0\nb 1e-05\n'
    script = "async (text) => [...(await import('/web/js/promtext.js')).parse(text)]"
    assert await page.evaluate(script, text) == [
        ["a_total", [{"labels": {"x": '1, "2"', "y": "z"}, "key": 'x="1, \\"2\\"",y="z"', "value": 3}]],
        ["b", [{"labels": {}, "key": "", "value": 1e-05}]],
    ]


@pytest.mark.parametrize("state", [[], [{"messages": [{"role": "user", "content": "你好 🙂 </script>"}]}]])
async def test_what_is_shared_comes_back(page, state):
    packed = await call(page, "share", "pack", state)
    assert packed.replace("-", "").replace("_", "").isalnum()
    assert await call(page, "share", "unpack", packed) == state


async def test_what_nobody_shared_is_nothing(page):
    assert await call(page, "share", "unpack", "%%%") is None


LINE_ENDS = {
    "as everywhere": ("a\nb", "a\nx\nb", "a\nx\nb"),
    "as on Windows": ("a\r\nb\r\n", "a\nx\nb\n", "a\r\nx\r\nb\r\n"),
    "no end at all": ("a", "a\nb", "a\nb"),
    "mixed": ("a\r\nb\nc", "a\nx\nb\nc\n", "a\r\nx\r\nb\nc\r\n"),
    "of old": ("a\rb", "b\na", "b\ra"),
}


@pytest.mark.parametrize(("old", "edited", "text"), LINE_ENDS.values(), ids=LINE_ENDS)
async def test_line_ends_are_those_of_the_file(page, old, edited, text):
    assert await call(page, "line-ends", "restore", edited, old) == text
    assert await call(page, "line-ends", "plain", text) == edited
