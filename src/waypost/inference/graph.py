"""A BERT encoder as an ONNX graph of ONNX Runtime's fused operators, built straight from the weights.

``Attention``, ``SkipLayerNormalization`` and ``BiasGelu`` replace the dozens of nodes of a stock export, which the
runtime's optimiser no longer fuses. There is no attention mask: the graph reads one text at a time.

    input_ids int64[1, n]  ->  embedding float32[1, hidden]             mean of the last layer's token states
                               features  float32[1, hidden * layers]    means of chosen layers, side by side
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from waypost.inference.architecture import Architecture, Floats, State
from waypost.inference.quantise import quantise_rows

__all__ = ["build_graph"]

_FUSED = "com.microsoft"
_OPSET, _FUSED_OPSET, _IR_VERSION = 18, 1, 10


def build_graph(
    state: State, architecture: Architecture, feature_layers: Sequence[int], *, int8_embedding: bool = True
) -> ModelProto:
    """Build the encoder.

    ``feature_layers`` count from 0 (the embedding layer's output) to ``architecture.layers`` (the last layer's).
    ``int8_embedding`` keeps the word table, four fifths of a multilingual model, in a quarter of its size.
    """
    graph = _Graph(state, architecture)
    states = [graph.embed(int8=int8_embedding)]
    for layer in range(architecture.layers):
        states.append(graph.block(states[-1], f"encoder.layer.{layer}"))
    graph.output("embedding", graph.mean_over_tokens(states[-1]), architecture.hidden)
    means = [graph.mean_over_tokens(states[layer]) for layer in feature_layers]
    graph.output("features", graph.node("Concat", means, axis=-1), architecture.hidden * len(means))
    return graph.model()


class _Graph:
    """Collects nodes and constants. Every method returns the name of the tensor it made."""

    def __init__(self, state: State, architecture: Architecture) -> None:
        self._state = state
        self._architecture = architecture
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}
        self._outputs: list[Any] = []

    def model(self) -> ModelProto:
        tokens = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])
        graph = helper.make_graph(
            self._nodes, "encoder", [tokens], self._outputs, initializer=list(self._constants.values())
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, _FUSED_OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)

    def node(self, operator: str, inputs: Sequence[str], domain: str = "", **attributes: float) -> str:
        name = f"{operator}_{len(self._nodes)}"
        made = helper.make_node(operator, inputs, [name], name=name, domain=domain)
        made.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self._nodes.append(made)
        return name

    def fused(self, operator: str, inputs: Sequence[str], **attributes: float) -> str:
        return self.node(operator, inputs, domain=_FUSED, **attributes)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def output(self, name: str, tensor: str, width: int) -> None:
        self._nodes.append(helper.make_node("Identity", [tensor], [name], name=name))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, width]))

    def mean_over_tokens(self, tensor: str) -> str:
        return self.node("ReduceMean", [tensor, self.constant("token_axis", np.array([1]))], keepdims=0)

    def embed(self, *, int8: bool) -> str:
        """Word, position and token-type embeddings (a single text is all type 0), normalised."""
        where = "embeddings"
        words = self._words(self._state[f"{where}.word_embeddings.weight"], int8=int8)
        types = self._state[f"{where}.token_type_embeddings.weight"][:1]
        places = self.constant("places", self._state[f"{where}.position_embeddings.weight"] + types)
        length = self.node("Shape", ["input_ids"], start=1, end=2)
        start, axis = self.constant("first", np.array([0])), self.constant("place_axis", np.array([0]))
        summed = self.node("Add", [words, self.node("Slice", [places, start, length, axis])])
        norm = [self._weight(f"{where}.LayerNorm.weight"), self._weight(f"{where}.LayerNorm.bias")]
        return self.node("LayerNormalization", [summed, *norm], axis=-1, epsilon=self._architecture.epsilon)

    def block(self, hidden: str, where: str) -> str:
        """One transformer layer: attention and feed-forward, each with its residual and layer norm."""
        attended = self._matmul(self._attention(hidden, where), f"{where}.attention.output.dense")
        hidden = self._add_and_norm(attended, hidden, f"{where}.attention.output")
        widened = self._matmul(hidden, f"{where}.intermediate.dense")
        widened = self.fused("BiasGelu", [widened, self._weight(f"{where}.intermediate.dense.bias")])
        return self._add_and_norm(self._matmul(widened, f"{where}.output.dense"), hidden, f"{where}.output")

    def _attention(self, hidden: str, where: str) -> str:
        """Query, key and value projections in one packed matrix, so the input is quantised once."""
        parts = [f"{where}.attention.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self._state[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([self._state[f"{part}.bias"] for part in parts])
        packed = [self.constant(f"{where}.qkv.weight", weight), self.constant(f"{where}.qkv.bias", bias)]
        return self.fused("Attention", [hidden, *packed], num_heads=self._architecture.heads)

    def _add_and_norm(self, tensor: str, residual: str, where: str) -> str:
        weights = [f"{where}.LayerNorm.weight", f"{where}.LayerNorm.bias", f"{where}.dense.bias"]
        inputs = [tensor, residual, *map(self._weight, weights)]
        return self.fused("SkipLayerNormalization", inputs, epsilon=self._architecture.epsilon)

    def _matmul(self, tensor: str, where: str) -> str:
        return self.node("MatMul", [tensor, self.constant(f"{where}.weight.T", self._state[f"{where}.weight"].T)])

    def _words(self, table: Floats, *, int8: bool) -> str:
        if not int8:
            return self.node("Gather", [self.constant("words", table), "input_ids"])
        values, scales = quantise_rows(table)
        row = self.node("Gather", [self.constant("words", values), "input_ids"])
        scale = self.node("Gather", [self.constant("word_scales", scales), "input_ids"])
        return self.node("Mul", [self.node("Cast", [row], to=TensorProto.FLOAT), scale])

    def _weight(self, name: str) -> str:
        return self.constant(name, self._state[name])
