"""BERT, RoBERTa and XLM-R classifiers as a graph: ``input_ids`` int64[1, n] -> ``logits`` float32[1, rows, labels]."""

from __future__ import annotations

from onnx import ModelProto

from waypost.inference.graph import BertNodes
from waypost.inference.huggingface.logits import linear, output_logits, rows_of
from waypost.inference.huggingface.shape import BertShape
from waypost.inference.huggingface.weights import Tensors

__all__ = ["build_bert"]


def build_bert(tensors: Tensors, shape: BertShape, labels: int, *, int8: bool) -> ModelProto:
    """Build the graph; the matrices of its layers are left to be quantised. Raises SetupError for missing tensors."""
    nodes = BertNodes(tensors, heads=shape.heads, epsilon=shape.epsilon)
    hidden = nodes.embed(int8=int8, first_position=shape.first_position)
    for layer in range(shape.layers):
        hidden = nodes.block(hidden, f"encoder.layer.{layer}")
    rows, classifier = rows_of(nodes, hidden, shape), "classifier"
    if shape.pooling == "pooler":
        rows = nodes.node("Tanh", [linear(nodes, tensors, rows, "pooler.dense")])
    elif shape.pooling == "first":
        rows = nodes.node("Tanh", [linear(nodes, tensors, rows, "classifier.dense")])
        classifier = "classifier.out_proj"
    output_logits(nodes, tensors, rows, classifier, labels)
    return nodes.model()
