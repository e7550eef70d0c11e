import math

import numpy as np
import onnx
import pytest

from waypost.inference.quantise import quantise_matrices, quantise_rows
from waypost.inference.session import Session
from waypost.learn.fused import fused_graph


def bert(state, shape, ids):
    """BERT as the paper writes it, in plain numpy: the states after the embeddings and after each layer."""

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + shape.epsilon)
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    def linear(x, name):
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def heads(x):
        return x.reshape(len(ids), shape.heads, -1).transpose(1, 0, 2)

    def gelu(x):
        return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))

    words = state["embeddings.word_embeddings.weight"][list(ids)]
    places = state["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(words + places + state["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    states = [x]
    for layer in range(shape.layers):
        where = f"encoder.layer.{layer}"
        query, key, value = (heads(linear(x, f"{where}.attention.self.{p}")) for p in ("query", "key", "value"))
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(shape.hidden / shape.heads)
        weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        mixed = (weights @ value).transpose(1, 0, 2).reshape(len(ids), shape.hidden)
        x = norm(x + linear(mixed, f"{where}.attention.output.dense"), f"{where}.attention.output.LayerNorm")
        inner = linear(gelu(linear(x, f"{where}.intermediate.dense")), f"{where}.output.dense")
        x = norm(x + inner, f"{where}.output.LayerNorm")
        states.append(x)
    return states


@pytest.mark.parametrize("ids", [(0,), (0, 7, 7, 2), tuple(range(40))])
def test_the_fused_graph_computes_bert(tiny, tmp_path, ids):
    shape, state = tiny(3)
    onnx.save(fused_graph(state, shape, (), {}, features=(0, 1, 3), exact=True), tmp_path / "graph.onnx")
    found = Session.load(tmp_path / "graph.onnx").run(ids)

    expected = bert(state, shape, ids)
    np.testing.assert_allclose(found["embedding"], expected[3].mean(0), atol=1e-4)
    np.testing.assert_allclose(found["features"], np.concatenate([expected[n].mean(0) for n in (0, 1, 3)]), atol=1e-4)


def test_int8_keeps_the_direction_of_the_embedding(tiny, tmp_path):
    shape, state = tiny(3)
    quantise_matrices(fused_graph(state, shape, (), {}), tmp_path / "int8.onnx")
    ids = (0, 5, 9, 30, 2)
    embedding = Session.load(tmp_path / "int8.onnx").run(ids)["embedding"]

    exact = bert(state, shape, ids)[3].mean(0)
    assert embedding @ exact / np.linalg.norm(embedding) / np.linalg.norm(exact) > 0.99


def test_rows_are_quantised_each_by_its_own_scale():
    table = np.array([[1000.0, -500.0], [0.001, 0.0005], [0.0, 0.0]], np.float32)
    values, scales = quantise_rows(table)
    assert values.dtype == np.int8
    np.testing.assert_allclose(values * scales, table, rtol=0.01)
