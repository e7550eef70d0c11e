"""A graph without its weights, which stay in their file: all processes that map the file share one copy of them.

ONNX Runtime copies what a graph holds, but maps *external data*: a file, an offset and a length (ONNX's
``TensorProto.external_data``). The file may be the graph's own, so nothing but the graph's few kilobytes is made anew.
Only the fields on the way to the tensors are read (https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["without_weights"]

_LEAST: Final = 4096
"""Bytes of a tensor that is worth a mapping: a page."""

# Numbers of fields in onnx.proto.
_MODEL_GRAPH: Final = 7
_GRAPH_INITIALIZER: Final = 5
_TENSOR_RAW_DATA: Final = 9
_TENSOR_EXTERNAL_DATA: Final = 13
_TENSOR_DATA_LOCATION: Final = 14
_ENTRY_KEY: Final = 1
_ENTRY_VALUE: Final = 2
_EXTERNAL: Final = 1

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_WIDTHS: Final = {_FIXED64: 8, _FIXED32: 4}


class _Field(NamedTuple):
    """Where a field lies: its tag from ``tag``, its content from ``start`` to ``end``."""

    number: int
    tag: int
    start: int
    end: int


def without_weights(path: Path) -> bytes:
    """Return the graph at ``path`` with every large tensor as external data in that same file.

    Raises ValueError for what is no graph, and OSError.
    """
    with path.open("rb") as file, closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as content:
        try:
            return b"".join(_model(content, path.name.encode()))
        except IndexError:
            raise ValueError(f"{path} ends too early") from None


def _model(content: mmap.mmap, name: bytes) -> Iterator[bytes]:
    for field in _fields(content, 0, len(content)):
        if field.number == _MODEL_GRAPH:
            yield _delimited(_MODEL_GRAPH, b"".join(_graph(content, field, name)))
        else:
            yield content[field.tag : field.end]


def _graph(content: mmap.mmap, graph: _Field, name: bytes) -> Iterator[bytes]:
    for field in _fields(content, graph.start, graph.end):
        if field.number == _GRAPH_INITIALIZER:
            yield _delimited(_GRAPH_INITIALIZER, b"".join(_tensor(content, field, name)))
        else:
            yield content[field.tag : field.end]


def _tensor(content: mmap.mmap, tensor: _Field, name: bytes) -> Iterator[bytes]:
    fields = list(_fields(content, tensor.start, tensor.end))
    raw = next((f for f in fields if f.number == _TENSOR_RAW_DATA and f.end - f.start >= _LEAST), None)
    replaced = (_TENSOR_RAW_DATA, _TENSOR_DATA_LOCATION) if raw else ()
    yield from (content[field.tag : field.end] for field in fields if field.number not in replaced)
    if raw:
        yield _entry(b"location", name)
        yield _entry(b"offset", b"%d" % raw.start)
        yield _entry(b"length", b"%d" % (raw.end - raw.start))
        yield _varint(_TENSOR_DATA_LOCATION << 3 | _VARINT) + _varint(_EXTERNAL)


def _entry(key: bytes, value: bytes) -> bytes:
    return _delimited(_TENSOR_EXTERNAL_DATA, _delimited(_ENTRY_KEY, key) + _delimited(_ENTRY_VALUE, value))


def _fields(content: mmap.mmap, start: int, end: int) -> Iterator[_Field]:
    at = start
    while at < end:
        key, begin = _read_varint(content, at)
        kind = key & 7
        if kind == _DELIMITED:
            length, begin = _read_varint(content, begin)
            after = begin + length
        elif kind == _VARINT:
            _, after = _read_varint(content, begin)
        elif kind in _WIDTHS:
            after = begin + _WIDTHS[kind]
        else:
            raise ValueError(f"no protobuf at byte {at}")
        if after > end:
            raise ValueError(f"the field at byte {at} is longer than what holds it")
        yield _Field(key >> 3, at, begin, after)
        at = after


def _read_varint(content: mmap.mmap, at: int) -> tuple[int, int]:
    """Return the number at ``at``, and where the next thing begins."""
    value = shift = 0
    while (byte := content[at]) >= 128:
        value |= (byte & 127) << shift
        shift += 7
        at += 1
    return value | byte << shift, at + 1


def _delimited(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _DELIMITED) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)
