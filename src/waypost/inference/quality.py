"""The graph for ``profile: quality``: the same int8 weights, but activations are rounded in blocks of 32.

The default rounds a layer's whole input with one scale, which is fastest; one large number then coarsens all others.
``MatMulNBits`` gives every 32 numbers a scale of their own: nearly what full precision says, at 1.5 to 2 times the
price. Made from the shipped graph while it is loaded, so that nothing more has to be shipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from waypost.inference.quantise import BLOCK

__all__ = ["blockwise"]

_FUSED: Final = "com.microsoft"
_INT8: Final = 4
"""``accuracy_level`` of MatMulNBits at which activations become int8, block by block."""


def blockwise(path: Path) -> bytes:
    """Read the graph at ``path`` and return it with block-wise products; serialised, some 70 MB."""
    model = onnx.load(path)
    graph = _Graph(model)
    nodes = [new for node in model.graph.node for new in graph.replaced(node)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    graph.drop_unused_constants()
    return bytes(model.SerializeToString())


class _Graph:
    """Finds what belongs to a product of a quantised graph, and writes it anew."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self._makers = {output: node for node in model.graph.node for output in node.output}
        self._users: dict[str, list[NodeProto]] = {}
        for node in model.graph.node:
            for name in node.input:
                self._users.setdefault(name, []).append(node)
        self._gone = {id(node) for product in model.graph.node for node in self._parts(product)}

    def replaced(self, node: NodeProto) -> Iterator[NodeProto]:
        """Give what stands in the place of ``node``; nothing for the parts of a product."""
        if node.op_type == "MatMulInteger":
            yield self._product(self._float_input(node), node.input[1], self._result(node).output[0])
        elif node.op_type == "QAttention":
            yield from self._attention(node)
        elif id(node) not in self._gone:
            yield node

    def drop_unused_constants(self) -> None:
        """Forget the weights in their old form."""
        used = {name for node in self._model.graph.node for name in node.input}
        kept = [tensor for tensor in self._constants.values() if tensor.name in used]
        del self._model.graph.initializer[:]
        self._model.graph.initializer.extend(kept)

    def _attention(self, node: NodeProto) -> Iterator[NodeProto]:
        """The packed projection, its bias, and the attention itself on the three thirds."""
        name, heads = node.output[0], next(a.i for a in node.attribute if a.name == "num_heads")
        projected, parts = f"{name}.projected", [f"{name}.{part}" for part in ("query", "key", "value")]
        yield self._product(self._float_input(node), node.input[1], projected)
        yield helper.make_node("Add", [projected, node.input[2]], [f"{projected}.biased"])
        yield helper.make_node("Split", [f"{projected}.biased"], parts, axis=-1, num_outputs=3)
        yield helper.make_node("MultiHeadAttention", parts, [name], domain=_FUSED, num_heads=heads)

    def _product(self, tensor: str, weight: str, output: str) -> NodeProto:
        values, scales = self._array(weight), self._array(weight.replace("_quantized", "_scale")).reshape(-1)
        depth, width = values.shape
        blocks = -(-depth // BLOCK)
        padded = np.zeros((width, blocks * BLOCK), np.uint8)
        padded[:] = 128  # zero, as the operator stores eight bits
        padded[:, :depth] = (values.T.astype(np.int16) + 128).astype(np.uint8)
        inputs = [
            tensor,
            self._add(f"{weight}.blocks", padded.reshape(width, blocks, BLOCK)),
            self._add(f"{weight}.block_scales", np.repeat(scales.astype(np.float32), blocks)),
        ]
        sizes = {"K": depth, "N": width, "bits": 8, "block_size": BLOCK, "accuracy_level": _INT8}
        return helper.make_node("MatMulNBits", inputs, [output], domain=_FUSED, **sizes)

    def _float_input(self, node: NodeProto) -> str:
        return self._makers[node.input[0]].input[0]

    def _result(self, product: NodeProto) -> NodeProto:
        """The multiplication by both scales that ends a quantised product."""
        cast = self._users[product.output[0]][0]
        return self._users[cast.output[0]][0]

    def _parts(self, node: NodeProto) -> Iterator[NodeProto]:
        """Nodes around a product that have no place beside a block-wise one."""
        if node.op_type not in ("MatMulInteger", "QAttention"):
            return
        yield self._makers[node.input[0]]
        if node.op_type == "MatMulInteger":
            result = self._result(node)
            yield from (self._users[node.output[0]][0], result, self._makers[result.input[1]])

    def _array(self, name: str) -> NDArray[Any]:
        return numpy_helper.to_array(self._constants[name])

    def _add(self, name: str, value: NDArray[Any]) -> str:
        self._constants[name] = numpy_helper.from_array(value, name)
        return name
