from pathlib import Path
from typing import Any

import pytest

from waypost.config.tooling import ToolsConfig
from waypost.tools.index import ToolIndex
from waypost.tools.relevance import Relevance
from waypost.tools.selection import ToolSelector
from waypost.wire.tools import Offer

ADD = ToolsConfig(database="t.json", similarity=0.5)
REPLACE = ADD.model_copy(update={"mode": "replace"})
FILTER = ToolsConfig(mode="filter", similarity=0.5)


def function(name: str, description: str = "") -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description}}


WEATHER = function("weather_now", "Tells the weather")
MAIL = function("mailer", "Sends mail")
MUSIC = function("player", "Plays music")
OWN = {"type": "web_search"}


def offer(*tools: dict[str, Any], used: tuple[str, ...] = (), free: bool = True) -> Offer:
    return Offer(tools, free, frozenset(used))


@pytest.fixture
def selector(word_encoder: Any, relevance: Relevance, database: ToolIndex) -> ToolSelector:
    return ToolSelector(word_encoder, relevance, database, deadline=0.5)


def added(selection: Any) -> list[str]:
    return [tool.name for tool in selection.added]


async def test_add_joins_the_best_to_the_clients(selector: ToolSelector) -> None:
    selection = await selector.select("How is the weather?", offer(MUSIC), ADD)
    assert selection
    assert (added(selection), selection.kept, selection.changed) == (["get_forecast"], {0}, True)
    assert selection.tokens_saved < 0
    assert selection.scores["get_forecast"] >= 0.5


async def test_a_name_is_offered_once(selector: ToolSelector) -> None:
    selection = await selector.select("weather", offer(function("get_forecast", "mine")), ADD)
    assert selection
    assert not selection.changed


async def test_replace_takes_the_clients_place_but_for_used_ones(selector: ToolSelector) -> None:
    selection = await selector.select("weather", offer(MAIL, MUSIC, OWN, used=("player",)), REPLACE)
    assert selection
    assert (added(selection), selection.kept) == (["get_forecast"], {1, 2})


async def test_a_tool_that_an_earlier_turn_was_given_comes_back(selector: ToolSelector) -> None:
    for settings in (ADD, REPLACE):
        selection = await selector.select("weather", offer(MAIL, used=("pay_bill",)), settings)
        assert selection
        assert added(selection) == ["pay_bill", "get_forecast"]
    nothing_found = await selector.select("so?", offer(MAIL, used=("pay_bill",)), REPLACE)
    assert nothing_found
    assert (added(nothing_found), nothing_found.kept) == (["pay_bill"], {0})


@pytest.mark.parametrize("own, fit", [(125, 3), (127, 1), (128, 0), (130, 0)])
async def test_no_more_is_added_than_openai_takes(selector: ToolSelector, own: int, fit: int) -> None:
    asked = offer(*(function(f"own{number}") for number in range(own)), used=("pay_bill",))
    selection = await selector.select("mail and music", asked, ADD)
    assert selection
    assert added(selection) == ["pay_bill", "send_message", "play_song"][:fit]
    assert set(selection.scores) == set(added(selection)) - {"pay_bill"}
    assert len(selection.offered) == own + fit


async def test_filter_keeps_the_best_the_used_and_what_it_does_not_know(selector: ToolSelector) -> None:
    selection = await selector.select("mail it", offer(WEATHER, MAIL, MUSIC, OWN, used=("player",)), FILTER)
    assert selection
    assert (selection.kept, selection.added) == ({1, 2, 3}, ())
    assert selection.tokens_saved > 0


@pytest.mark.parametrize("settings", [FILTER, REPLACE])
async def test_nothing_found_leaves_the_clients_tools_unless_told(
    selector: ToolSelector, settings: ToolsConfig
) -> None:
    left = await selector.select("so?", offer(WEATHER, MAIL), settings)
    empty = await selector.select("so?", offer(WEATHER, MAIL), settings.model_copy(update={"fallback_to_empty": True}))
    assert left
    assert empty
    assert (left.kept, left.changed) == ({0, 1}, False)
    assert (empty.kept, empty.changed) == (frozenset(), True)


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({"top_k": 1}, 1),
        ({"top_k": 3}, 3),
        ({"similarity": 0.999}, 0),
        ({"block": ("pay_*",)}, 2),
        ({"allow": ("pay_bill", "play_*")}, 2),
        ({"allow": ("pay_bill",), "block": ("pay_bill",)}, 0),
        ({"tags": ("office",)}, 2),
        ({"tags": ("finance",)}, 1),
        ({"tags": ()}, 0),
    ],
)
async def test_what_may_be_chosen(selector: ToolSelector, settings: dict[str, Any], expected: int) -> None:
    wide = ADD.model_copy(update={"similarity": 0.05, **settings})
    selection = await selector.select("send mail, money and music", offer(), wide)
    assert selection
    assert len(selection.added) == expected


@pytest.mark.parametrize(
    "text, asked, settings",
    [
        ("weather", offer(MAIL, free=False), ADD),
        (" ", offer(MAIL), ADD),
        ("weather", offer(MAIL), ADD.model_copy(update={"enabled": False})),
    ],
)
async def test_no_choice_to_make(selector: ToolSelector, text: str, asked: Offer, settings: ToolsConfig) -> None:
    assert await selector.select(text, asked, settings) is None


@pytest.mark.parametrize("trouble", ["fails", "hangs"])
@pytest.mark.parametrize("settings", [ADD, FILTER])
async def test_an_encoder_in_trouble_leaves_the_request_alone(
    selector: ToolSelector, word_encoder: Any, trouble: str, settings: ToolsConfig
) -> None:
    setattr(word_encoder, trouble, True)
    selection = await selector.select("weather", offer(WEATHER, MAIL), settings)
    assert selection
    assert (selection.kept, selection.changed) == ({0, 1}, False)
    assert selection.unknown


async def test_a_clients_tools_are_embedded_once(selector: ToolSelector, word_encoder: Any) -> None:
    for _ in range(3):
        await selector.select("mail", offer(WEATHER, MAIL), FILTER)
    assert word_encoder.texts.count("mailer: Sends mail") == 1


async def test_tools_of_any_shape_are_taken(selector: ToolSelector) -> None:
    odd = [{"type": "function"}, {"function": {"name": 3}}, {}, {"type": "custom", "custom": {"name": "mail_x"}}]
    selection = await selector.select("mail", offer(*odd), FILTER)
    assert selection
    assert {0, 1, 2} <= selection.kept
    assert (await selector.select("mail", offer(), FILTER)) is not None


async def test_it_loads_a_database(word_encoder: Any, relevance: Relevance, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("WAYPOST_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("waypost.tools.selection.Relevance.load", lambda recipe: relevance)
    path = tmp_path / "tools.json"
    path.write_text('[{"tool": {"type": "function", "function": {"name": "w"}}, "description": "weather"}]')
    loaded = await ToolSelector.load(word_encoder, path)
    selection = await loaded.select("weather", offer(), ADD)
    assert selection
    assert added(selection) == ["w"]
    empty = await (await ToolSelector.load(word_encoder, None)).select("weather", offer(), ADD)
    assert empty
    assert not empty.changed


def test_the_digest_is_that_of_the_database(word_encoder: Any, relevance: Relevance, database: ToolIndex) -> None:
    digests = [ToolSelector(word_encoder, relevance, index).digest for index in (database, database, None)]
    assert digests[0] == digests[1] != digests[2]
