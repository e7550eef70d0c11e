"""Collecting the nodes and constants of an ONNX graph that reads one text: ``input_ids`` int64[1, tokens]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from waypost.inference.architecture import Floats
from waypost.inference.quantise import quantise_rows

__all__ = ["IDS", "Nodes"]

IDS: Final = "input_ids"

_FUSED: Final = "com.microsoft"
_OPSET, _FUSED_OPSET, _IR_VERSION = 18, 1, 10


class Nodes:
    """Nodes over the tensors of ``state``. Every method but ``output`` and ``model`` returns a tensor's name."""

    def __init__(self, state: Mapping[str, Floats]) -> None:
        self._state = state
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}
        self._outputs: list[Any] = []

    def model(self) -> ModelProto:
        """Put everything together."""
        tokens = helper.make_tensor_value_info(IDS, TensorProto.INT64, [1, "tokens"])
        graph = helper.make_graph(
            self._nodes, "encoder", [tokens], self._outputs, initializer=list(self._constants.values())
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, _FUSED_OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)

    def node(self, operator: str, inputs: Sequence[str], domain: str = "", **attributes: float) -> str:
        """Add an operator with one output."""
        return self.split(operator, inputs, 1, domain, **attributes)[0]

    def split(
        self, operator: str, inputs: Sequence[str], parts: int, domain: str = "", **attributes: float
    ) -> list[str]:
        """Add an operator with several outputs."""
        name = f"{operator}_{len(self._nodes)}"
        outputs = [name] if parts == 1 else [f"{name}_{part}" for part in range(parts)]
        made = helper.make_node(operator, inputs, outputs, name=name, domain=domain)
        made.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self._nodes.append(made)
        return outputs

    def fused(self, operator: str, inputs: Sequence[str], **attributes: float) -> str:
        """Add one of ONNX Runtime's own operators."""
        return self.node(operator, inputs, domain=_FUSED, **attributes)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add a constant; the first value under a name stays."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def weight(self, name: str) -> str:
        """Add a tensor of the state as it is."""
        return self.constant(name, self._state[name])

    def matmul(self, tensor: str, where: str) -> str:
        """Multiply by a linear layer's matrix; its bias is left to a fused operator that follows."""
        return self.node("MatMul", [tensor, self.constant(f"{where}.weight.T", self._state[f"{where}.weight"].T)])

    def words(self, table: str, *, int8: bool) -> str:
        """Look up the word vectors in a table of the state, kept in a quarter of its size with ``int8``."""
        if not int8:
            return self.node("Gather", [self.constant("words", self._state[table]), IDS])
        values, scales = quantise_rows(self._state[table])
        row = self.node("Gather", [self.constant("words", values), IDS])
        scale = self.node("Gather", [self.constant("word_scales", scales), IDS])
        return self.node("Mul", [self.node("Cast", [row], to=TensorProto.FLOAT), scale])

    def first_rows(self, name: str, table: NDArray[Any]) -> str:
        """Cut a table with one row a position to the length of the text."""
        length = self.node("Shape", [IDS], start=1, end=2)
        start, axis = self.constant("first", np.array([0])), self.constant("place_axis", np.array([0]))
        return self.node("Slice", [self.constant(name, table), start, length, axis])

    def mean_over_tokens(self, tensor: str) -> str:
        """Average [1, tokens, width] to [1, width]."""
        return self.node("ReduceMean", [tensor, self.constant("token_axis", np.array([1]))], keepdims=0)

    def output(self, name: str, tensor: str, shape: Sequence[int | str]) -> None:
        """Give a tensor to the outside under this name."""
        self._nodes.append(helper.make_node("Identity", [tensor], [name], name=name))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
