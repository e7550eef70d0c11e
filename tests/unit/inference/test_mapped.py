"""Weights that stay in their file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from waypost.errors import SetupError
from waypost.inference.manifest import MODEL
from waypost.inference.mapped import without_weights
from waypost.inference.session import Session


@pytest.fixture
def graph(tmp_path) -> Path:
    """A product with a large and a small matrix; the large one says needlessly where its data are."""
    rng = np.random.default_rng(7)
    large, small = (numpy_helper.from_array(rng.random((64, n), np.float32), f"m{n}") for n in (64, 2))
    large.data_location = TensorProto.DEFAULT
    nodes = [
        helper.make_node("Gather", ["m64", "input_ids"], ["rows"]),
        helper.make_node("MatMul", ["rows", "m2"], ["out"]),
    ]
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, None])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, None, 2])],
        [large, small],
    )
    path = tmp_path / "graph.onnx"
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path


def test_large_tensors_point_into_the_file(graph):
    light, whole = onnx.load_from_string(without_weights(graph)), onnx.load(graph)
    large, small = light.graph.initializer
    entries = {entry.key: entry.value for entry in large.external_data}
    begin, length = int(entries["offset"]), int(entries["length"])
    assert (entries["location"], large.data_location, large.raw_data) == (graph.name, TensorProto.EXTERNAL, b"")
    assert graph.read_bytes()[begin : begin + length] == whole.graph.initializer[0].raw_data
    assert small == whole.graph.initializer[1]
    del light.graph.initializer[:], whole.graph.initializer[:]
    assert light == whole


def test_it_computes_the_same(graph):
    ids = [1, 5, 63]
    copied, mapped = Session.load(graph, graph.read_bytes()), Session.load(graph)
    np.testing.assert_array_equal(copied.run(ids)["out"], mapped.run(ids)["out"])


def test_the_shipped_graph_is_light_without_its_weights(encoder_dir):
    assert len(without_weights(encoder_dir / MODEL)) < 1_000_000 < (encoder_dir / MODEL).stat().st_size


@pytest.mark.parametrize("content", [b"", b"\x07", b"\x3a\xff\xff\x03no", b"\x3a\x80", b"no graph at all"])
def test_what_is_no_graph_is_one_line(tmp_path, content):
    path = tmp_path / "graph.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError):
        without_weights(path)
    with pytest.raises(SetupError, match="cannot load"):
        Session.load(path)
