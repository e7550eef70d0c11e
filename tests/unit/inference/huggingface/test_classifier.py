"""Texts of any length, and spans in the original's characters."""

import asyncio
import json
from itertools import pairwise

import numpy as np
import pytest

from waypost.config import schema
from waypost.errors import InferenceError, SetupError
from waypost.inference.huggingface.classifier import SequenceClassifier, TokenClassifier
from waypost.inference.huggingface.reader import Reader

LONG = " ".join(f"{number} is not {number * 7 % 13}, sir." for number in range(100))


@pytest.mark.parametrize("text", ["", " ", "a", "\ud800", "😀" * 50, LONG])
async def test_any_text_has_probabilities(text, make_model, load, labels):
    classifier = load(make_model("xlm-roberta"))
    found = await classifier.probabilities(text)
    assert classifier.labels == labels["sequence"]
    assert found.sum() == pytest.approx(1, abs=1e-5)
    assert found.dtype == np.float32


async def test_a_long_text_is_read_in_windows(make_model, load):
    classifier = load(make_model("modernbert"), window=64, precision="fp32")
    each = await classifier.by_window(LONG)
    assert len(each) > 10
    np.testing.assert_allclose(each.sum(axis=1), 1, atol=1e-5)
    assert not np.allclose(each[0], each[1], atol=1e-3)


async def test_windows_overlap_and_the_cap_is_counted(make_model, exported):
    limits = schema.Encoder(deadline="60s", max_windows=2)
    reader = Reader.load(exported(make_model("bert"), window=66), limits)
    found = await reader.read(LONG)
    reader.close()
    assert found.windows == (range(64), range(48, 112))
    assert found.skipped_tokens > 0


async def test_a_prefix_changes_the_answer_but_no_place(make_model, load):
    directory = make_model("bert", "token")
    plain, prefixed = (load(directory, "token", prefix=prefix, precision="fp32") for prefix in ("", "sir sir "))
    text = "Is a verbal contract enforceable?"
    one, other = [await classifier._reader.read(text) for classifier in (plain, prefixed)]
    assert one.tokens == other.tokens
    assert one.logits[0].shape == other.logits[0].shape
    assert not np.allclose(one.logits[0], other.logits[0], atol=1e-3)


@pytest.mark.parametrize("text", ["我的名字是李雷 😀, my mail is lee@example.com", LONG, ""])
async def test_spans_are_places_in_the_text(text, make_model, load):
    numpy = pytest.importorskip("safetensors.numpy")
    directory = make_model("roberta", "token")
    tensors = numpy.load_file(directory / "model.safetensors")
    eager = tensors | {"classifier.bias": np.array([0, 3, 3, 3, 3], np.float32)}
    numpy.save_file(eager, directory / "model.safetensors")
    classifier = load(directory, "token", window=64)
    spans = await classifier.spans(text)
    assert bool(spans) == bool(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert {span.type for span in spans} <= {"PERSON", "EMAIL"}


@pytest.mark.parametrize(
    "task, kind, message",
    [
        ("token", SequenceClassifier, "is a token classifier; a sequence classifier is needed"),
        ("sequence", TokenClassifier, "is a sequence classifier; a token classifier is needed"),
    ],
)
def test_the_other_kind_is_refused(task, kind, message, make_model, limits):
    with pytest.raises(SetupError, match=message):
        kind.load(schema.Classifier(model=str(make_model("bert", task))), limits, lambda line: None)


def test_labels_of_tokens_are_bio(make_model, load):
    directory = make_model("bert", "token")
    (directory / "label_mapping.json").write_text(json.dumps({"id2label": {str(i): f"L{i}" for i in range(5)}}))
    with pytest.raises(SetupError, match="has the label 'L0'; BIO tags are needed"):
        load(directory, "token")


async def test_nothing_runs_after_close(make_model, load):
    classifier = load(make_model("bert"))
    classifier.close()
    with pytest.raises(InferenceError):
        await classifier.probabilities("x")


async def test_concurrent_texts_do_not_influence_each_other(make_model, load):
    classifier = load(make_model("modernbert"))
    texts = ["short", LONG, "数学题"] * 3
    alone = [await classifier.probabilities(text) for text in texts]
    together = await asyncio.gather(*map(classifier.probabilities, texts))
    np.testing.assert_array_equal(alone, together)
