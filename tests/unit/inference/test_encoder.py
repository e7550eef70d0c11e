import asyncio
import shutil

import numpy as np
import pytest

from waypost.config import schema
from waypost.errors import DeadlineExceeded, Overloaded, SetupError
from waypost.inference.encoder import OnnxEncoder
from waypost.inference.manifest import MANIFEST, MODEL, TOKENIZER


@pytest.fixture
def load(encoder_dir):
    """Load the encoder with other settings."""
    loaded = []

    def load(**settings):
        loaded.append(OnnxEncoder.load(encoder_dir, schema.Encoder(**{"deadline": "60s", **settings})))
        return loaded[-1]

    yield load
    for encoder in loaded:
        encoder.close()


async def test_an_encoding_is_as_the_manifest_says(encoder):
    encoding = await encoder.encode("Is the sky blue?")
    assert encoding.embedding.shape == (encoder.manifest.dimensions,)
    assert encoding.features.shape == (encoder.manifest.features,)
    assert encoding.embedding.dtype == encoding.features.dtype == np.float32
    assert np.linalg.norm(encoding.embedding) == pytest.approx(1, abs=1e-5)
    assert (encoding.windows, encoding.skipped_tokens) == (1, 0)
    assert encoding.tokens == 5


async def test_a_translation_is_nearer_than_another_topic(encoder):
    texts = ("How do I learn to swim?", "我怎么学游泳?", "The bank raised interest rates.")
    english, chinese, other = [(await encoder.encode(text)).embedding for text in texts]
    assert english @ chinese > english @ other + 0.05


async def test_concurrent_texts_do_not_influence_each_other(encoder):
    texts = ["short", "a much longer text about cooking rice " * 20, "数学题"] * 4
    alone = [await encoder.encode(text) for text in texts]
    together = await asyncio.gather(*map(encoder.encode, texts))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.embedding, other.embedding)


@pytest.mark.parametrize("text", ["", "   ", "\ud800", "\x00", "😀" * 50])
async def test_odd_texts_have_an_encoding(encoder, text):
    encoding = await encoder.encode(text)
    assert np.isfinite(encoding.embedding).all()
    assert encoding.windows == 1


async def test_a_long_text_is_read_in_windows(encoder):
    encoding = await encoder.encode("word " * 300)
    assert (encoding.tokens, encoding.windows, encoding.skipped_tokens) == (300, 3, 0)


async def test_a_window_more_begins_with_the_first_token_that_does_not_fit(encoder):
    size = 126 - 3  # the prefix "query: " takes three
    assert (await encoder.encode("word " * size)).windows == 1
    assert (await encoder.encode("word " * (size + 1))).windows == 2


@pytest.mark.parametrize("text, tokens", [("word " * 200_000, 200_000), ("好" * 1_000_000, 500_000)])
async def test_a_megabyte_is_read_up_to_the_cap_and_the_rest_is_counted(load, text, tokens):
    encoding = await load(max_windows=3).encode(text)
    assert encoding.windows == 3
    assert encoding.tokens == 123 + 2 * 107
    assert encoding.tokens + encoding.skipped_tokens == pytest.approx(tokens, rel=0.05)


async def test_a_full_queue_and_a_deadline_are_errors_of_inference(load):
    encoder = load(threads=1, queue=1, deadline="1ms")
    long = "word " * 2000
    outcomes = await asyncio.gather(*(encoder.encode(long) for _ in range(4)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [DeadlineExceeded] * 2 + [Overloaded] * 2


async def test_nothing_runs_for_a_cancelled_request(load):
    encoder = load(threads=1)
    tasks = [asyncio.create_task(encoder.encode("word " * 5000)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (await encoder.encode("next")).windows == 1  # would time out behind twenty long texts
    assert encoder.pending == 0


@pytest.mark.parametrize("poisoned", [MODEL, TOKENIZER])
def test_a_poisoned_file_is_refused(encoder_dir, tmp_path, poisoned):
    for name in (MANIFEST, MODEL, TOKENIZER):
        (tmp_path / name).symlink_to(encoder_dir / name)
    original = (encoder_dir / poisoned).read_bytes()
    (tmp_path / poisoned).unlink()
    (tmp_path / poisoned).write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    with pytest.raises(SetupError, match=f"{poisoned} is missing or was changed; install waypost again"):
        OnnxEncoder.load(tmp_path, schema.Encoder())


@pytest.mark.parametrize("manifest", [None, "", "[]", "{}", '{"files": {"a": 1}}'])
def test_without_a_good_manifest_nothing_is_loaded(tmp_path, manifest):
    if manifest is not None:
        (tmp_path / MANIFEST).write_text(manifest)
    with pytest.raises(SetupError, match="install waypost again"):
        OnnxEncoder.load(tmp_path, schema.Encoder())


def test_a_missing_file_is_refused(encoder_dir, tmp_path):
    shutil.copy(encoder_dir / MANIFEST, tmp_path)
    with pytest.raises(SetupError, match=MODEL):
        OnnxEncoder.load(tmp_path, schema.Encoder())
