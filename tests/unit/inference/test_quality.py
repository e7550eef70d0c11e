import numpy as np
import onnx

from waypost.inference.quality import blockwise
from waypost.inference.quantise import quantise_matrices
from waypost.inference.runtime import onnxruntime
from waypost.inference.session import Session
from waypost.learn.fused import fused_graph

IDS = [0, 7, 3, 9, 21, 40, 2, 2, 33, 12, 1]


def test_block_wise_products_are_nearer_to_full_precision(tiny, tmp_path):
    shape, state = tiny(3)
    # One loud channel, as trained encoders have them: a single scale for the whole input drowns the others.
    state["embeddings.LayerNorm.weight"][3] = 60.0
    exact, int8 = tmp_path / "exact.onnx", tmp_path / "int8.onnx"
    onnx.save(fused_graph(state, shape, (), {}, features=(1, 3), exact=True), exact)
    quantise_matrices(fused_graph(state, shape, (), {}, features=(1, 3)), int8)
    wanted = Session.load(exact).run(IDS)
    plain, fine = Session.load(int8).run(IDS), Session.load(int8, blockwise(int8)).run(IDS)
    for name in ("embedding", "features"):
        assert np.abs(fine[name] - wanted[name]).mean() < np.abs(plain[name] - wanted[name]).mean()


def test_every_product_is_block_wise_and_nothing_is_left_over(tiny, tmp_path):
    shape, state = tiny(2)
    path = tmp_path / "int8.onnx"
    quantise_matrices(fused_graph(state, shape, (), {}, features=(2,)), path)
    model = onnx.load_from_string(blockwise(path))
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("MatMulNBits") == 2 * 4
    assert not {"MatMulInteger", "QAttention", "DynamicQuantizeLinear"} & set(kinds)
    used = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= used
    assert onnxruntime.InferenceSession(model.SerializeToString())
