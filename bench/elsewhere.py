"""Pythons of their own for the systems that waypost is compared with: their pins would not go with ours."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from waypost.inference.once import home

__all__ = ["python_with"]


def python_with(name: str, pins: Sequence[str]) -> Path:
    """Return a Python that has these packages; the first call makes it, below WAYPOST_HOME, from the package index.

    ``pins``: requirements, as ``gptcache==0.1.44``. Raises CalledProcessError when pip cannot install them.
    """
    digest = hashlib.blake2b("\n".join(pins).encode(), digest_size=6).hexdigest()
    directory = home() / "bench" / f"{name}-{digest}"
    python, done = directory / "bin/python", directory / "installed"
    if not done.exists():
        print(f"installing {', '.join(pins)} into {directory}", file=sys.stderr, flush=True)
        venv.create(directory, clear=True, with_pip=True)
        pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--only-binary=:all:")
        subprocess.run([*pip, *pins], check=True, stdout=sys.stderr)
        done.touch()
    return python
