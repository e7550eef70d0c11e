"""Where training computes."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch

from waypost.errors import SetupError

__all__ = ["DeviceName", "choose_device"]

DeviceName: TypeAlias = Literal["auto", "cpu", "cuda"]


def choose_device(name: DeviceName) -> torch.device:
    """Find the device; ``auto`` is the GPU when there is one. Raises SetupError for a GPU that is not there."""
    present = torch.cuda.is_available()
    if name == "cuda" and not present:
        raise SetupError("torch sees no CUDA device; leave --device out to train on the CPU")
    return torch.device("cuda" if present and name != "cpu" else "cpu")
