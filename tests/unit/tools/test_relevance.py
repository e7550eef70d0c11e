import asyncio
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from waypost.config import schema
from waypost.errors import SetupError
from waypost.learn.served import open_encoder
from waypost.tools.index import ToolIndex
from waypost.tools.relevance import Relevance, bundled
from waypost.tools.selection import ToolSelector


def test_it_is_written_and_read(relevance: Relevance, tmp_path: Path) -> None:
    path = tmp_path / "relevance.npz"
    relevance.save(path)
    first = path.read_bytes()
    again = Relevance.load("words", path)
    again.save(path)
    assert path.read_bytes() == first
    query, bm25 = np.arange(5, dtype=np.float32), np.ones(5, np.float32)
    assert np.allclose(
        again.probabilities(again.query(query), bm25), relevance.probabilities(relevance.query(query), bm25)
    )


def test_another_encoder_is_refused(relevance: Relevance, tmp_path: Path) -> None:
    path = tmp_path / "relevance.npz"
    relevance.save(path)
    with pytest.raises(SetupError, match="belongs to another encoder"):
        Relevance.load("other", path)


@pytest.mark.parametrize("content", [None, b"", b"junk"])
def test_a_damaged_file_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "relevance.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupError, match=r"relevance\.npz is missing or was changed"):
        Relevance.load("words", path)


def test_a_request_that_is_the_mean_has_scores(relevance: Relevance) -> None:
    assert np.isfinite(relevance.query(np.zeros(5, np.float32))).all()


@pytest.mark.parametrize("profile", get_args(schema.Profile))
async def test_each_profile_of_the_encoder_has_its_weights(profile: schema.Profile) -> None:
    with open_encoder(schema.Encoder(profile=profile)) as encoder:
        recipe = encoder.manifest.recipe
        await ToolSelector.load(encoder, None)
    assert bundled(recipe).stat().st_size < 500_000
    assert Relevance.load(recipe).background.tools > 1000
    assert Relevance.load(recipe).recipe.endswith("+fast") == (profile == "fast")


def test_one_profile_does_not_take_anothers_weights(relevance: Relevance, tmp_path: Path) -> None:
    path = tmp_path / "relevance.npz"
    relevance.save(path)
    assert Relevance.load("words+quality", path).recipe == "words"
    with pytest.raises(SetupError, match="belongs to another encoder"):
        Relevance.load("words+fast", path)


def test_a_topic_or_a_word_makes_a_tool_relevant(database: ToolIndex, word_encoder: Any) -> None:
    def best(text: str) -> str:
        scores = database.scores(text, asyncio.run(word_encoder.encode(text)).embedding)
        return database.tools[int(scores.argmax())].name

    assert best("Will the weather be fine?") == "get_forecast"
    assert best("I owe you a bill") == "pay_bill"
