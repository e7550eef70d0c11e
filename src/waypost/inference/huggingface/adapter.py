"""A PEFT LoRA adapter, merged into its base: ``W += B @ A * alpha / r``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from waypost.errors import SetupError
from waypost.inference.huggingface.names import canonical
from waypost.inference.huggingface.weights import Tensors

__all__ = ["check_adapter", "merge"]

_ROOT: Final = "base_model.model."
_A, _B = ".lora_A.weight", ".lora_B.weight"
_WRAPPERS: Final = re.compile(r"\.(base_layer|modules_to_save(\.default)?)(?=\.)")
"""What PEFT puts into the names of the modules that it wraps."""


def check_adapter(config: Mapping[str, Any], path: object) -> None:
    """Refuse what :func:`merge` does not know, before anything is downloaded or read. Raises SetupError."""
    if config.get("peft_type") != "LORA":
        raise SetupError(f"{path}: waypost merges adapters of peft_type 'LORA', not {config.get('peft_type')!r}")
    if config.get("use_dora") or config.get("lora_bias"):
        raise SetupError(f"{path}: waypost does not merge DoRA or lora_bias; merge it with PEFT and name the result")


def merge(base: Tensors, adapter: Tensors, config: Mapping[str, Any], architecture: str) -> Tensors:
    """Return the base's tensors with the adapter's changes, and its own modules (``modules_to_save``, biases).

    ``fan_in_fan_out`` has no effect: like PEFT, we ignore it for linear layers, and the models that waypost runs have
    no other kind. Raises SetupError for an adapter of another base.
    """
    tensors = Tensors({name.removeprefix(_ROOT): value for name, value in adapter.items()})
    merged = Tensors(base)
    for name in tensors.keys() - _lora(tensors):
        merged[canonical(_WRAPPERS.sub("", name), architecture)] = tensors[name]
    for module in sorted(name.removesuffix(_A) for name in tensors if name.endswith(_A)):
        down, up = tensors[module + _A], tensors[module + _B]
        target = canonical(f"{module}.weight", architecture)
        weight = merged[target]
        if (up.shape[0], down.shape[1], up.shape[1]) != (*weight.shape, down.shape[0]):
            raise SetupError(f"the adapter does not fit {module} of its base, whose weight has shape {weight.shape}")
        merged[target] = weight + up @ down * np.float32(_scale(config, module, rank=len(down)))
    return merged


def _lora(tensors: Tensors) -> set[str]:
    names = {name for name in tensors if ".lora_" in name}
    if odd := sorted(name for name in names if not name.endswith((_A, _B))):
        raise SetupError(f"waypost does not merge {odd[0]} of an adapter; merge it with PEFT and name the result")
    return names


def _scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    alpha = _by_pattern(config.get("alpha_pattern") or {}, module, config.get("lora_alpha", 8))
    return float(alpha / (math.sqrt(rank) if config.get("use_rslora") else rank))


def _by_pattern(patterns: Mapping[str, Any], module: str, default: Any) -> Any:  # noqa: ANN401 (JSON)
    """PEFT's rule: the first pattern that matches the end of the module's name, from a dot on."""
    return next((value for key, value in patterns.items() if re.fullmatch(rf"(.*\.)?({key})", module)), default)
