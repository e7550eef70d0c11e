"""The trained model as one graph for serving: trunk, sentence embedding and every head in one pass.

input_ids int64[1, n]  ->  embedding float32[1, hidden]          mean of the last layer's token states
                           NAME      float32[1, labels]          logits of a head on sequences
                           NAME      float32[1, n, labels]       logits of a head on tokens
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import ModelProto, TensorProto, helper

from waypost.inference.architecture import Architecture, Floats, State
from waypost.inference.graph import BertNodes
from waypost.inference.nodes import IDS
from waypost.inference.quantise import BLOCK, quantise_blocks
from waypost.learn.heads import HeadSpec, Pooling
from waypost.learn.smooth import Ranges

__all__ = ["RANGE", "fused_graph"]

RANGE = "range."
"""Begins the name of an output that tells the ranges of a layer's input."""


def fused_graph(
    state: State,
    shape: Architecture,
    heads: Sequence[HeadSpec],
    weights: State,
    *,
    exact: bool = False,
    features: Sequence[int] = (),
    smoothing: Ranges | None = None,
) -> ModelProto:
    """Build the graph. ``smoothing`` is what inputs are divided by; ``state`` has absorbed it.

    ``features``: also give out these layers' means, side by side. ``exact`` keeps the word table in full precision, for
    comparison, and adds outputs ``range.LAYER`` float32[1, channels].
    """
    graph = _MultiTaskNodes(state, shape, exact=exact, smoothing=smoothing or {})
    states = [graph.embed(int8=not exact)]
    for layer in range(shape.layers):
        states.append(graph.block(states[-1], f"encoder.layer.{layer}"))
    graph.output("embedding", graph.pooled(states[-1], "mean"), [1, shape.hidden])
    for head in heads:
        graph.head(head, states, weights)
    if features:
        graph.features([graph.pooled(states[layer], "mean") for layer in features], shape.hidden * len(features))
    return graph.model()


class _MultiTaskNodes(BertNodes):
    def __init__(self, state: Mapping[str, Floats], shape: Architecture, *, exact: bool, smoothing: Ranges) -> None:
        super().__init__(state, heads=shape.heads, epsilon=shape.epsilon)
        self._exact = exact
        self._smoothing = smoothing
        self._pooled: dict[tuple[str, Pooling], str] = {}

    def words(self, table: str, *, int8: bool) -> str:
        """Look up word vectors in four bits, which is what the base's weights come in: half the size, no loss."""
        if not int8:
            return super().words(table, int8=False)
        values, scales = quantise_blocks(self._state[table])
        found = self.fused(
            "GatherBlockQuantized",
            [self._four_bits("words", values), IDS, self.constant("word_scales", scales)],
            block_size=BLOCK,
            gather_axis=0,
            quantize_axis=1,
        )
        return self.node("Cast", [found], to=TensorProto.FLOAT)

    def matmul(self, tensor: str, where: str) -> str:
        """Multiply by a linear layer's matrix, after its input was smoothed."""
        return super().matmul(self._smooth(tensor, where), where)

    def _attention(self, hidden: str, where: str) -> str:
        return super()._attention(self._smooth(hidden, f"{where}.attention.self"), where)

    def _smooth(self, tensor: str, where: str) -> str:
        if self._exact:
            size = self.node("Abs", [tensor])
            largest = self.node("ReduceMax", [size, self.constant("token_axis", np.array([1]))], keepdims=0)
            self.output(f"{RANGE}{where}", largest, [1, "channels"])
        if where not in self._smoothing:
            return tensor
        return self.node("Mul", [tensor, self.constant(f"{where}.smoothing", 1 / self._smoothing[where])])

    def features(self, means: Sequence[str], width: int) -> None:
        """Give out means side by side."""
        self.output("features", self.node("Concat", means, axis=-1), [1, width])

    def head(self, head: HeadSpec, states: Sequence[str], weights: State) -> None:
        """Add a linear layer over the head's features and give out its logits."""
        parts = [self.pooled(states[layer], pooling) for pooling in head.pooling for layer in head.layers]
        features = parts[0] if len(parts) == 1 else self.node("Concat", parts, axis=-1)
        weight = self.constant(f"{head.name}.weight", weights[f"{head.name}.weight"])
        bias = self.constant(f"{head.name}.bias", weights[f"{head.name}.bias"])
        # Not a plain MatMul, so that the quantiser leaves it alone: heads are small, and layers differ in scale.
        logits = self.node("Add", [self.fused("FusedMatMul", [features, weight], transB=1), bias])
        tokens: list[int | str] = ["tokens"] if "token" in head.pooling else []
        self.output(head.name, logits, [1, *tokens, len(weights[f"{head.name}.bias"])])

    def pooled(self, tensor: str, pooling: Pooling) -> str:
        """Reduce [1, tokens, hidden] to what the pooling says; once, however many heads read it."""
        key = (tensor, pooling)
        if key not in self._pooled:
            self._pooled[key] = self._pool(tensor, pooling)
        return self._pooled[key]

    def _pool(self, tensor: str, pooling: Pooling) -> str:
        match pooling:
            case "mean":
                return self.mean_over_tokens(tensor)
            case "first":
                first = self.node("Gather", [tensor, self.constant("token_0", np.array([0]))], axis=1)
                return self.node("Squeeze", [first, self.constant("token_axis", np.array([1]))])
            case "token":
                return tensor

    def _four_bits(self, name: str, values: np.ndarray) -> str:
        """Pack two values into a byte, the first into the lower half."""
        nibbles = values.astype(np.uint8) & 0xF
        packed = nibbles[:, 0::2] | nibbles[:, 1::2] << 4
        tensor = helper.make_tensor(name, TensorProto.INT4, values.shape, packed.tobytes(), raw=True)
        self._constants[name] = tensor
        return name
