"""ONNX Runtime, as the encoder uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as binding

from waypost.errors import InferenceError, SetupError
from waypost.inference.architecture import Floats

__all__ = ["Session"]

# ONNX Runtime's errors share no base class of their own.
_ERRORS = (
    binding.Fail,
    binding.InvalidArgument,
    binding.InvalidGraph,
    binding.NotImplemented,
    binding.RuntimeException,
)


class Session:
    """A loaded graph of :mod:`waypost.inference.graph`. Thread-safe; each call runs on the thread that makes it."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._outputs = [output.name for output in session.get_outputs()]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load a graph. Raises SetupError when this version of ONNX Runtime cannot run it."""
        options = onnxruntime.SessionOptions()
        # More threads would make one request a little faster and two at a time slower, and they spin while idle.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        try:
            return cls(onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]))
        except _ERRORS as error:
            raise SetupError(f"ONNX Runtime {onnxruntime.__version__} cannot load {path}: {error}") from error

    def run(self, ids: Sequence[int]) -> Mapping[str, Floats]:
        """Every output of one sequence of token ids, by name, without the batch axis. Raises InferenceError."""
        try:
            found = self._session.run(self._outputs, {"input_ids": np.array([ids], np.int64)})
        except _ERRORS as error:
            raise InferenceError(f"the encoder failed: {error}") from error
        return {name: output[0] for name, output in zip(self._outputs, found, strict=True)}
