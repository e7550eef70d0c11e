"""Int8 weights: per channel for the matrices, per row for the embedding table.

Symmetric and per channel because anything coarser costs embedding quality (cosine to fp32 falls from 0.997 to
0.990 per tensor), signed because unsigned weights are slower on VNNI. Activations are quantised per tensor while
the graph runs, so a text must be encoded alone: in a batch its vector would depend on its neighbours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from waypost.inference.architecture import Floats

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["BLOCK", "quantise_blocks", "quantise_matrices", "quantise_rows"]

BLOCK = 32
"""Values that share one scale in four bits."""


# The quantiser warns about graphs that did not pass its pre-processing; ours is built fused, so there is nothing to do.
_READY = {"onnx.quant.pre_process": "onnxruntime.quant"}


def quantise_rows(table: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Split a table into int8 values and one scale a row: ``table ≈ values * scales``.

    Rows do not mix, so one outlier of a quarter million word pieces cannot coarsen the others.
    """
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), np.finfo(np.float32).tiny) / np.float32(127)
    scaled = table / scales
    return np.rint(scaled, out=scaled).astype(np.int8), scales


def quantise_blocks(table: Floats) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Split a table into values of -8 to 7 and a scale for each block of a row: ``table ≈ values * scales``.

    The largest value of a block becomes -8, as in llama.cpp's Q4_0, so that a table which was quantised in this way
    before is found again without loss.
    """
    blocks = table.reshape(len(table), -1, BLOCK)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[..., None], axis=2)
    scales = (largest / -8).astype(np.float16)
    divisors = np.where(scales == 0, 1, scales).astype(np.float32)
    values = np.clip(np.rint(blocks / divisors), -8, 7).astype(np.int8)
    return values.reshape(table.shape), scales[..., 0]


def quantise_matrices(model: ModelProto, target: Path) -> None:
    """Write ``model`` to ``target`` with int8 weights in its MatMul and Attention nodes."""
    from onnx import TensorProto
    from onnx.helper import set_model_props

    from waypost.inference.runtime import quantization

    library = quantization()
    set_model_props(model, _READY)
    library.quantize_dynamic(
        model,
        target,
        op_types_to_quantize=["MatMul", "Attention"],
        per_channel=True,
        weight_type=library.QuantType.QInt8,
        # Contrib operators have no shape inference, so the quantiser must be told what flows between them.
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": TensorProto.FLOAT},
    )
