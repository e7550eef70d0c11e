"""ONNX Runtime, as the encoder uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np

from waypost.errors import InferenceError, SetupError
from waypost.inference.architecture import Floats
from waypost.inference.mapped import without_weights
from waypost.inference.runtime import binding, onnxruntime

__all__ = ["EARLY", "Session"]

EARLY: Final = "fast."
"""Begins the names of outputs that need the lower layers only."""

_FOLDER: Final = "session.model_external_initializers_file_folder_path"

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

    def __init__(self, session: onnxruntime.InferenceSession, *, early: bool) -> None:
        self._session = session
        names = [output.name for output in session.get_outputs()]
        self._outputs = [name for name in names if name.startswith(EARLY) is early]
        self._names = [name.removeprefix(EARLY) for name in self._outputs]
        self._options = onnxruntime.RunOptions()
        # Layers above the last output that is asked for are not computed.
        self._options.only_execute_path_to_fetches = len(self._outputs) < len(names)

    @classmethod
    def load(cls, path: Path, graph: bytes | None = None, *, early: bool = False) -> Self:
        """Load a graph: ``graph``, or what lies at ``path``. Raises SetupError when ONNX Runtime cannot run it.

        The weights at ``path`` are mapped, not copied: the file must stay as it is for as long as the session lives.
        ``early``: give the outputs that need the lower layers only, under their plain names, instead of the others.
        """
        path = path.resolve()  # ONNX Runtime refuses weights to which a link leads
        options = onnxruntime.SessionOptions()
        # More threads would make one request a little faster and two at a time slower, and they spin while idle.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.add_session_config_entry(_FOLDER, str(path.parent))
        try:
            light = graph or without_weights(path)
            session = onnxruntime.InferenceSession(light, options, providers=["CPUExecutionProvider"])
        except (*_ERRORS, OSError, ValueError) as error:
            raise SetupError(f"ONNX Runtime {onnxruntime.__version__} cannot load {path}: {error}") from error
        return cls(session, early=early)

    def run(self, ids: Sequence[int]) -> Mapping[str, Floats]:
        """Every output of one sequence of token ids, by name, without the batch axis. Raises InferenceError."""
        try:
            found = self._session.run(self._outputs, {"input_ids": np.array([ids], np.int64)}, self._options)
        except _ERRORS as error:
            raise InferenceError(f"the encoder failed: {error}") from error
        return {name: output[0] for name, output in zip(self._names, found, strict=True)}
