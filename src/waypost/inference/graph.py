"""The layers of a BERT encoder as nodes of ONNX Runtime's fused operators, built straight from the weights.

``Attention``, ``SkipLayerNormalization`` and ``BiasGelu`` replace the dozens of nodes of a stock export, which the
runtime's optimiser no longer fuses. There is no attention mask: the graph reads one text at a time.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from waypost.inference.architecture import Floats
from waypost.inference.nodes import Nodes

__all__ = ["BertNodes"]


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
