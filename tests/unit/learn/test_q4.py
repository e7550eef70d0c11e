import struct

import numpy as np
import pytest

from waypost.errors import SetupError
from waypost.inference.architecture import Architecture
from waypost.learn.q4 import Image, dequantise


def block(scale: float, values: list[int]) -> bytes:
    """One Q4_0 block by hand: 32 values in -8…7."""
    packed = bytes((low + 8) | (high + 8) << 4 for low, high in zip(values[:16], values[16:], strict=True))
    return struct.pack("<e", scale) + packed


@pytest.mark.parametrize(
    "scale, values",
    [
        (1.0, [0] * 32),
        (0.5, list(range(-8, 8)) * 2),
        (-2.0, list(range(7, -9, -1)) + [3] * 16),
        (0.0, [-8] * 32),
    ],
)
def test_a_block_is_scale_times_values(scale, values):
    raw = np.frombuffer(block(scale, values), np.uint8)
    np.testing.assert_array_equal(dequantise(raw), np.float32(scale) * np.array(values, np.float32))


def test_blocks_keep_their_order_and_their_own_scale():
    raw = np.frombuffer(block(1.0, [1] * 32) + block(0.25, [-4] * 32), np.uint8)
    np.testing.assert_array_equal(dequantise(raw), [1.0] * 32 + [-1.0] * 32)


@pytest.fixture
def image() -> bytes:
    """An image with three pieces, a bias of 2 floats and a 2 x 32 matrix."""
    text = "<s>▁你x".encode()
    tables = struct.pack("<4I", 0, 3, 9, 10) + struct.pack("<3f", 0, -1, -2) + text
    header = struct.pack("<4s4x7ifii16xQ", b"E5S1", 32, 1, 2, 64, 3, 9, 2, 1e-12, 32, 3, len(text))
    bias, matrix = struct.pack("<2f", 1.5, -2.5), block(1.0, [2] * 32) + block(1.0, [-3] * 32)
    directory_size = 4 + (2 + 4 + 21) + (2 + 6 + 21)
    start = len(header) + len(tables) + 8 + 5 + directory_size
    entry = struct.Struct("<BIQQ")
    directory = struct.pack("<i", 2)
    directory += struct.pack("<H", 4) + b"bias" + entry.pack(0, 2, start, len(bias))
    directory += struct.pack("<H", 6) + b"matrix" + entry.pack(2, 64, start + len(bias), len(matrix))
    return header + tables + struct.pack("<iI", 1, 5) + b"norms" + directory + bias + matrix


def test_an_image_is_read(image):
    parsed = Image.parse(image)
    assert parsed.architecture == Architecture(32, 1, 2, 64, 3, 9)
    assert parsed.pieces == ("<s>", "▁你", "x")
    np.testing.assert_array_equal(parsed.floats("bias", 2), [1.5, -2.5])
    np.testing.assert_array_equal(parsed.matrix("matrix", 2, 32), [[2.0] * 32, [-3.0] * 32])


@pytest.mark.parametrize("data", [b"", b"E5S1", b"GGUF" + bytes(200)])
def test_something_else_is_refused(data):
    with pytest.raises(SetupError, match="E5S1"):
        Image.parse(data)
