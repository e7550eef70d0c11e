"""A BERT encoder as an ONNX graph of ONNX Runtime's fused operators, built straight from the weights.

``Attention``, ``SkipLayerNormalization`` and ``BiasGelu`` replace the dozens of nodes of a stock export, which the
runtime's optimiser no longer fuses. There is no attention mask: the graph reads one text at a time.

    input_ids int64[1, n]  ->  embedding float32[1, hidden]             mean of the last layer's token states
                               features  float32[1, hidden * layers]    means of chosen layers, side by side
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import ModelProto

from waypost.inference.architecture import Architecture, Floats, State
from waypost.inference.nodes import Nodes

__all__ = ["BertNodes", "build_graph"]


def build_graph(
    state: State, architecture: Architecture, feature_layers: Sequence[int], *, int8_embedding: bool = True
) -> ModelProto:
    """Build the encoder.

    ``feature_layers`` count from 0 (the embedding layer's output) to ``architecture.layers`` (the last layer's).
    ``int8_embedding`` keeps the word table, four fifths of a multilingual model, in a quarter of its size.
    """
    graph = BertNodes(state, heads=architecture.heads, epsilon=architecture.epsilon)
    states = [graph.embed(int8=int8_embedding)]
    for layer in range(architecture.layers):
        states.append(graph.block(states[-1], f"encoder.layer.{layer}"))
    graph.output("embedding", graph.mean_over_tokens(states[-1]), [1, architecture.hidden])
    means = [graph.mean_over_tokens(states[layer]) for layer in feature_layers]
    graph.output("features", graph.node("Concat", means, axis=-1), [1, architecture.hidden * len(means)])
    return graph.model()


class BertNodes(Nodes):
    """The layers of a BERT whose tensors are named as in Hugging Face's ``BertModel``."""

    def __init__(self, state: Mapping[str, Floats], *, heads: int, epsilon: float) -> None:
        super().__init__(state)
        self._heads = heads
        self._epsilon = epsilon

    def embed(self, *, int8: bool, first_position: int = 0) -> str:
        """Word, position and token-type embeddings (a single text is all type 0), normalised.

        ``first_position`` is the row of the first token in the table of positions, which RoBERTa begins later.
        """
        where = "embeddings"
        words = self.words(f"{where}.word_embeddings.weight", int8=int8)
        types = self._state[f"{where}.token_type_embeddings.weight"][:1]
        places = self._state[f"{where}.position_embeddings.weight"][first_position:]
        summed = self.node("Add", [words, self.first_rows("places", places + types)])
        norm = [self.weight(f"{where}.LayerNorm.weight"), self.weight(f"{where}.LayerNorm.bias")]
        return self.node("LayerNormalization", [summed, *norm], axis=-1, epsilon=self._epsilon)

    def block(self, hidden: str, where: str) -> str:
        """One transformer layer: attention and feed-forward, each with its residual and layer norm."""
        attended = self.matmul(self._attention(hidden, where), f"{where}.attention.output.dense")
        hidden = self._add_and_norm(attended, hidden, f"{where}.attention.output")
        widened = self.matmul(hidden, f"{where}.intermediate.dense")
        widened = self.fused("BiasGelu", [widened, self.weight(f"{where}.intermediate.dense.bias")])
        return self._add_and_norm(self.matmul(widened, f"{where}.output.dense"), hidden, f"{where}.output")

    def _attention(self, hidden: str, where: str) -> str:
        """Query, key and value projections in one packed matrix, so the input is quantised once."""
        parts = [f"{where}.attention.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self._state[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([self._state[f"{part}.bias"] for part in parts])
        packed = [self.constant(f"{where}.qkv.weight", weight), self.constant(f"{where}.qkv.bias", bias)]
        return self.fused("Attention", [hidden, *packed], num_heads=self._heads)

    def _add_and_norm(self, tensor: str, residual: str, where: str) -> str:
        weights = [f"{where}.LayerNorm.weight", f"{where}.LayerNorm.bias", f"{where}.dense.bias"]
        inputs = [tensor, residual, *map(self.weight, weights)]
        return self.fused("SkipLayerNormalization", inputs, epsilon=self._epsilon)
