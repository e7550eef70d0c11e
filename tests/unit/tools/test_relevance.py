import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from waypost.errors import SetupError
from waypost.tools.index import ToolIndex
from waypost.tools.relevance import BUNDLED, Relevance


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


def test_what_ships_can_be_read() -> None:
    with np.load(BUNDLED, allow_pickle=False) as stored:
        recipe = str(stored["recipe"])
    assert BUNDLED.stat().st_size < 500_000
    assert Relevance.load(recipe).background.tools > 1000


def test_a_topic_or_a_word_makes_a_tool_relevant(database: ToolIndex, word_encoder: Any) -> None:
    def best(text: str) -> str:
        scores = database.scores(text, asyncio.run(word_encoder.encode(text)).embedding)
        return database.tools[int(scores.argmax())].name

    assert best("Will the weather be fine?") == "get_forecast"
    assert best("I owe you a bill") == "pay_bill"
