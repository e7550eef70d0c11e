"""ModernBERT classifiers as a graph: ``input_ids`` int64[1, n] -> ``logits`` float32[1, rows, labels].

Layer norms come before attention and feed-forward, positions are rotations, the feed-forward is gated (GeGLU), and
most layers attend only to a neighbourhood (https://arxiv.org/abs/2412.13663).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from onnx import ModelProto

from waypost.inference.architecture import Floats
from waypost.inference.huggingface.logits import linear, output_logits, rows_of
from waypost.inference.huggingface.rope import Rope
from waypost.inference.huggingface.shape import ModernBertShape
from waypost.inference.huggingface.weights import Tensors
from waypost.inference.nodes import IDS, Nodes

__all__ = ["build_modernbert"]

_NEVER: Final = np.float32(-1e9)
"""Added to the score of a token that is out of reach."""


def build_modernbert(tensors: Tensors, shape: ModernBertShape, labels: int, *, longest: int, int8: bool) -> ModelProto:
    """Build the graph for texts of up to ``longest`` tokens; the matrices of its layers are left to be quantised.

    Raises SetupError for missing tensors.
    """
    nodes = _ModernBertNodes(tensors, shape, longest)
    hidden = nodes.embed(int8=int8)
    for layer in range(shape.layers):
        hidden = nodes.block(hidden, layer)
    hidden = nodes.norm(hidden, "final_norm")
    # The mean of a text is taken before the head, whose activation makes the order matter.
    rows = nodes.fused("Gelu", [linear(nodes, tensors, rows_of(nodes, hidden, shape), "head.dense")])
    output_logits(nodes, tensors, nodes.norm(rows, "head.norm"), "classifier", labels)
    return nodes.model()


class _ModernBertNodes(Nodes):
    """The layers of a ModernBERT whose tensors are named as in Hugging Face's ``ModernBertModel``."""

    def __init__(self, tensors: Tensors, shape: ModernBertShape, longest: int) -> None:
        super().__init__(tensors)
        self._shape = shape
        self._longest = longest
        self._mask = ""

    def embed(self, *, int8: bool) -> str:
        return self.norm(self.words("embeddings.tok_embeddings.weight", int8=int8), "embeddings.norm")

    def block(self, hidden: str, layer: int) -> str:
        where = f"layers.{layer}"
        # The embeddings are normalised already, so the first layer has no norm of its own.
        normed = self.norm(hidden, f"{where}.attn_norm") if layer else hidden
        hidden = self.node("Add", [hidden, self._attention(normed, where, local=self._shape.local_layers[layer])])
        return self.node("Add", [hidden, self._feed_forward(self.norm(hidden, f"{where}.mlp_norm"), where)])

    def norm(self, tensor: str, where: str) -> str:
        weights = [self.weight(f"{where}.weight"), *self._bias(where)]
        return self.node("LayerNormalization", [tensor, *weights], axis=-1, epsilon=self._shape.epsilon)

    def _attention(self, hidden: str, where: str, *, local: bool) -> str:
        query, key, value = self.split("Split", [self._linear(hidden, f"{where}.attn.Wqkv")], 3, axis=-1, num_outputs=3)
        rope = self._shape.local_rope if local else self._shape.global_rope
        turned = [self._rotate(part, rope, "local" if local else "global") for part in (query, key)]
        mask = ["", "", self._neighbourhood()] if local else []
        mixed = self.fused("MultiHeadAttention", [*turned, value, *mask], num_heads=self._shape.heads)
        return self._linear(mixed, f"{where}.attn.Wo")

    def _feed_forward(self, hidden: str, where: str) -> str:
        widened = self._linear(hidden, f"{where}.mlp.Wi")
        inner, gate = self.split("Split", [widened], 2, axis=-1, num_outputs=2)
        return self._linear(self.node("Mul", [self.fused("Gelu", [inner]), gate]), f"{where}.mlp.Wo")

    def _linear(self, tensor: str, where: str) -> str:
        made = self.matmul(tensor, where)
        return self.node("Add", [made, *bias]) if (bias := self._bias(where)) else made

    def _bias(self, where: str) -> list[str]:
        name = f"{where}.bias"
        return [self.weight(name)] if name in self._state else []

    def _rotate(self, tensor: str, rope: Rope, name: str) -> str:
        cosines, sines = rope.tables(self._longest, self._shape.hidden // self._shape.heads)
        tables = [self.constant(f"{name}_cosines", cosines), self.constant(f"{name}_sines", sines)]
        return self.fused("RotaryEmbedding", [tensor, self.constant("start", np.array([0])), *tables])

    def _neighbourhood(self) -> str:
        """The mask of local layers, [1, 1, tokens, tokens]: 0 within reach, else a score that never wins."""
        if not self._mask:
            table = _mask(self._longest, self._shape.reach)
            length = self.node("Concat", [self.node("Shape", [IDS], start=1, end=2)] * 2, axis=0)
            start, axes = self.constant("origin", np.array([0, 0])), self.constant("mask_axes", np.array([2, 3]))
            self._mask = self.node("Slice", [self.constant("neighbourhood", table), start, length, axes])
        return self._mask


def _mask(longest: int, reach: int) -> Floats:
    places = np.arange(longest)
    far = np.abs(places[:, None] - places[None, :]) > reach
    return np.where(far, _NEVER, np.float32(0))[None, None]
