"""The layers of a head, in full precision: they cost little and decide everything.

They work on rows: one a token, or a single one for the whole text.
"""

from __future__ import annotations

import numpy as np

from waypost.errors import SetupError
from waypost.inference.huggingface.manifest import LOGITS
from waypost.inference.huggingface.shape import Shape
from waypost.inference.huggingface.weights import Tensors
from waypost.inference.nodes import Nodes

__all__ = ["linear", "output_logits", "rows_of"]


def rows_of(nodes: Nodes, hidden: str, shape: Shape) -> str:
    """Choose what is classified of [1, tokens, hidden]."""
    if shape.pooling == "mean":
        return nodes.mean_over_tokens(hidden)
    if shape.pooling == "none":
        return nodes.node("Squeeze", [hidden, nodes.constant("text_axis", np.array([0]))])
    return nodes.node("Gather", [hidden, nodes.constant("first_token", np.array(0))], axis=1)


def linear(nodes: Nodes, tensors: Tensors, rows: str, where: str) -> str:
    """Add a linear layer, with a bias where it has one; a Gemm, which the quantiser leaves alone."""
    bias = [nodes.weight(f"{where}.bias")] if f"{where}.bias" in tensors else []
    return nodes.node("Gemm", [rows, nodes.weight(f"{where}.weight"), *bias], transB=1)


def output_logits(nodes: Nodes, tensors: Tensors, rows: str, where: str, labels: int) -> None:
    """End the graph in a linear layer. Raises SetupError when it has not one output a label."""
    outputs = len(tensors[f"{where}.weight"])
    if outputs != labels:
        raise SetupError(f"the classifier has {outputs} outputs, but {labels} labels are named")
    logits = linear(nodes, tensors, rows, where)
    nodes.output(
        LOGITS, nodes.node("Unsqueeze", [logits, nodes.constant("text_axis", np.array([0]))]), [1, "rows", labels]
    )
