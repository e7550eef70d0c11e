"""Safetensors files as float32 arrays, without torch: https://huggingface.co/docs/safetensors (the format).

The file is mapped, not read, so that tensors that are not used cost nothing, and nothing in it is ever executed.
"""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from waypost.errors import SetupError
from waypost.inference.architecture import Floats

__all__ = ["Tensors", "read_tensors"]

_TYPES: Final = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}
_LARGEST_HEADER: Final = 100 * 2**20
"""The limit of the reference implementation."""


class Tensors(dict[str, Floats]):
    """Tensors by name; one that is not there is a SetupError."""

    def __missing__(self, name: str) -> Floats:
        raise SetupError(f"the weights have no tensor {name!r}; was the model saved with its classifier?")


def read_tensors(files: Iterable[Path]) -> Tensors:
    """Read the floating-point tensors of all files; others (position ids) are left out. Raises SetupError."""
    tensors = Tensors()
    for path in files:
        try:
            tensors.update(_read(path))
        except OSError as error:
            raise SetupError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SetupError(f"{path} is not a good safetensors file: {error}") from error
    return tensors


def _read(path: Path) -> dict[str, Floats]:
    with path.open("rb") as file:
        size = path.stat().st_size
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, _LARGEST_HEADER):
            raise ValueError("its header is longer than the file")
        header: dict[str, Any] = json.loads(file.read(length))
        data = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)[8 + length :]
    header.pop("__metadata__", None)
    return {name: _tensor(data, **entry) for name, entry in header.items() if entry["dtype"] in _TYPES}


def _tensor(data: NDArray[np.uint8], dtype: str, shape: list[int], data_offsets: list[int]) -> Floats:
    start, end = data_offsets
    kind = np.dtype(_TYPES[dtype]).newbyteorder("<")
    if not 0 <= start <= end <= len(data) or end - start != math.prod(shape) * kind.itemsize:
        raise ValueError(f"a tensor of shape {shape} does not fit its bytes")
    values: NDArray[Any] = np.frombuffer(data[start:end], kind)
    if dtype == "BF16":  # the upper half of a float32
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return np.asarray(values.reshape(shape), np.float32)
