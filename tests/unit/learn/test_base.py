import numpy as np
import onnx
import pytest

from waypost.inference.quantise import quantise_matrices
from waypost.inference.recipe import PREFIX
from waypost.inference.session import Session
from waypost.inference.tokenizer import Tokenizer
from waypost.learn.fused import fused_graph

pytestmark = pytest.mark.timeout(600)  # the first to ask for the base downloads it

TEXTS = (
    "Write a Python function that sorts a list of dates.",
    "为什么天空是蓝色的?",
    "hello",
    "The mitochondrion is the powerhouse of the cell, as every pupil knows. " * 4,
    "¿Cuánto cuesta un billete de tren a Sevilla? 😀",
)


@pytest.fixture
def sequences(base, tmp_path):
    """The texts as the base reads them."""
    (tmp_path / "tokenizer").write_bytes(base.tokenizer)
    tokenizer = Tokenizer(tmp_path / "tokenizer")
    prefix = tokenizer.tokenize(PREFIX).ids
    return [(tokenizer.first, *prefix, *tokenizer.tokenize(text).ids, tokenizer.last) for text in TEXTS]


def test_int8_stays_close_to_full_precision(base, sequences, tmp_path):
    exact, int8 = tmp_path / "fp32.onnx", tmp_path / "int8.onnx"
    onnx.save(fused_graph(base.state, base.architecture, (), {}, exact=True), exact)
    quantise_matrices(fused_graph(base.state, base.architecture, (), {}), int8)
    wanted, found = ([Session.load(path).run(ids)["embedding"] for ids in sequences] for path in (exact, int8))
    for text, a, b in zip(TEXTS, wanted, found, strict=True):
        assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.99, text


def test_the_base_is_named_as_hugging_face_names_it(base):
    shape = base.architecture
    assert (shape.hidden, shape.layers, shape.heads, shape.positions) == (384, 12, 12, 512)
    assert len(base.state) == 5 + 16 * 12
    assert base.state["embeddings.word_embeddings.weight"].shape == (250_037, 384)
    assert base.state["encoder.layer.11.intermediate.dense.weight"].shape == (1536, 384)
    assert base.state["encoder.layer.0.output.dense.weight"].shape == (384, 1536)
    assert {weight.dtype for weight in base.state.values()} == {np.dtype(np.float32)}
