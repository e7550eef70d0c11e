import json
import struct

import numpy as np
import pytest

from waypost.errors import SetupError
from waypost.inference.huggingface.weights import read_tensors


def write(path, header, data=b""):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(dtype, shape, start, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    "dtype, data",
    [
        ("F32", np.array([1.5, -2.0], "<f4").tobytes()),
        ("F64", np.array([1.5, -2.0], "<f8").tobytes()),
        ("F16", np.array([1.5, -2.0], "<f2").tobytes()),
        ("BF16", bytes.fromhex("c03f00c0")),
    ],
)
def test_types(dtype, data, tmp_path):
    path = write(tmp_path / "t", {"__metadata__": {"format": "pt"}, "a": entry(dtype, [2], 0, len(data))}, data)
    tensors = read_tensors([path])
    assert tensors["a"].dtype == np.float32
    np.testing.assert_array_equal(tensors["a"], [1.5, -2.0])


def test_integers_are_left_out_and_files_are_joined(tmp_path):
    one = write(tmp_path / "1", {"ids": entry("I64", [1], 0, 8), "a": entry("F32", [1, 1], 8, 12)}, bytes(12))
    two = write(tmp_path / "2", {"b": entry("F32", [], 0, 4)}, bytes(4))
    assert {name: tensor.shape for name, tensor in read_tensors([one, two]).items()} == {"a": (1, 1), "b": ()}


@pytest.mark.parametrize(
    "header, data",
    [
        (b"{", b""),
        (b"[]", b""),
        ({"a": {"dtype": "F32"}}, bytes(4)),
        ({"a": entry("F32", [2], 0, 4)}, bytes(8)),
        ({"a": entry("F32", [2], 0, 8)}, bytes(4)),
        ({"a": entry("F32", [1], -4, 0)}, bytes(4)),
        ({"a": entry("F32", [-1, -1], 0, 4)}, bytes(4)),
        ({"a": entry("F32", ["1"], 0, 4)}, bytes(4)),
    ],
)
def test_a_malformed_file_is_one_line(header, data, tmp_path):
    with pytest.raises(SetupError, match=r"t is not a good safetensors file: .*") as error:
        read_tensors([write(tmp_path / "t", header, data)])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\x01", struct.pack("<Q", 2**60) + b"{}", b"\x80\x04" + bytes(50)])
def test_no_safetensors_at_all(content, tmp_path):
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(SetupError, match="not a good safetensors file"):
        read_tensors([tmp_path / "t"])


def test_a_missing_tensor_and_a_missing_file(tmp_path):
    with pytest.raises(SetupError, match=r"no tensor 'classifier\.weight'; was the model saved with its classifier"):
        read_tensors([])["classifier.weight"]
    with pytest.raises(SetupError, match="cannot be read: no such file"):
        read_tensors([tmp_path / "none"])
