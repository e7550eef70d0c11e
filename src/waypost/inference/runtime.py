"""ONNX Runtime, imported in the one way that keeps it quiet: everybody takes it from here.

Since 1.31 its Linux builds gather telemetry: at the import a device id and a database of events are written below
``~/.cache/Microsoft``, to be sent. The environment variable must be set before the library is loaded.
"""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as binding

__all__ = ["binding", "onnxruntime", "quantization"]


def quantization() -> ModuleType:
    """Import the part that only conversions need; it takes half a second."""
    return import_module("onnxruntime.quantization")
