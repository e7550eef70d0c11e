from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from waypost.tools.vectors import embed_kept, kept_at


async def test_texts_are_embedded_once(word_encoder: Any, tmp_path: Path) -> None:
    kept = tmp_path / "deep" / "kept.npz"
    first = await embed_kept(word_encoder, ["weather", "mail", "mail"], kept)
    again = await embed_kept(word_encoder, ["weather", "mail", "mail"], kept)
    assert word_encoder.texts == ["weather", "mail"]
    assert np.array_equal(first, again)


async def test_only_new_texts_are_embedded_and_old_ones_forgotten(word_encoder: Any, tmp_path: Path) -> None:
    kept = tmp_path / "kept.npz"
    for texts in (["weather", "mail"], ["mail", "music"], ["weather"]):
        await embed_kept(word_encoder, texts, kept)
    assert word_encoder.texts == ["weather", "mail", "music", "weather"]


async def test_another_encoder_embeds_anew(word_encoder: Any, tmp_path: Path) -> None:
    kept = tmp_path / "kept.npz"
    await embed_kept(word_encoder, ["mail"], kept)
    word_encoder.manifest = SimpleNamespace(recipe="other", dimensions=5)
    await embed_kept(word_encoder, ["mail"], kept)
    assert word_encoder.texts == ["mail", "mail"]


async def test_profiles_of_one_encoder_do_not_share_embeddings(word_encoder: Any, tmp_path: Path) -> None:
    kept, digest = tmp_path / "kept.npz", "a" * 64  # as long as a key of the hash may be
    for recipe in (digest, f"{digest}+fast", f"{digest}+quality"):
        word_encoder.manifest = SimpleNamespace(recipe=recipe, dimensions=5)
        await embed_kept(word_encoder, ["mail"], kept)
    assert word_encoder.texts == ["mail"] * 3


async def test_a_damaged_file_costs_time_only(
    word_encoder: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = tmp_path / "kept.npz"
    kept.write_bytes(b"PK\x03\x04 not a zip")
    assert (await embed_kept(word_encoder, ["mail"], kept)).shape == (1, 5)
    assert "cannot be read" in caplog.text
    assert (await embed_kept(word_encoder, ["mail"], kept)).shape == (1, 5)
    assert word_encoder.texts == ["mail"]


async def test_a_directory_that_cannot_be_written_is_said(
    word_encoder: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    await embed_kept(word_encoder, ["mail"], tmp_path / "file" / "kept.npz")
    assert "cannot be" in caplog.text


async def test_no_texts(word_encoder: Any, tmp_path: Path) -> None:
    assert (await embed_kept(word_encoder, [], tmp_path / "kept.npz")).shape == (0, 5)


def test_each_database_has_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYPOST_HOME", str(tmp_path))
    assert kept_at(tmp_path / "a.json") != kept_at(tmp_path / "b.json")
    assert kept_at(tmp_path / "x" / ".." / "a.json") == kept_at(tmp_path / "a.json")
