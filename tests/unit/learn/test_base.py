import numpy as np
import onnx
import pytest

from waypost.inference.encoder import OnnxEncoder
from waypost.inference.graph import build_graph
from waypost.inference.manifest import TOKENIZER
from waypost.inference.session import Session
from waypost.inference.tokenizer import Tokenizer
from waypost.learn.base import SOURCES, read_base
from waypost.learn.wheels import fetch

TEXTS = (
    "Write a Python function that sorts a list of dates.",
    "为什么天空是蓝色的?",
    "hello",
    "The mitochondrion is the powerhouse of the cell, as every pupil knows. " * 4,
    "¿Cuánto cuesta un billete de tren a Sevilla? 😀",
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return read_base(fetch(SOURCES, tmp_path_factory.mktemp("wheels")))


@pytest.mark.timeout(600)
async def test_int8_stays_close_to_full_precision(base, encoder: OnnxEncoder, encoder_dir, tmp_path):
    path = tmp_path / "fp32.onnx"
    onnx.save(build_graph(base.state, base.architecture, (12,), int8_embedding=False), path)
    session, tokenizer = Session.load(path), Tokenizer(encoder_dir / TOKENIZER)
    prefix = tokenizer.tokenize(encoder.manifest.prefix).ids
    for text in TEXTS:
        exact = session.run((tokenizer.first, *prefix, *tokenizer.tokenize(text).ids, tokenizer.last))["embedding"]
        served = (await encoder.encode(text)).embedding
        assert served @ exact / np.linalg.norm(exact) > 0.99, text


@pytest.mark.timeout(600)
def test_the_base_is_named_as_hugging_face_names_it(base):
    shape = base.architecture
    assert (shape.hidden, shape.layers, shape.heads, shape.positions) == (384, 12, 12, 512)
    assert len(base.state) == 5 + 16 * 12
    assert base.state["embeddings.word_embeddings.weight"].shape == (250_037, 384)
    assert base.state["encoder.layer.11.intermediate.dense.weight"].shape == (1536, 384)
    assert base.state["encoder.layer.0.output.dense.weight"].shape == (384, 1536)
    assert {weight.dtype for weight in base.state.values()} == {np.dtype(np.float32)}
