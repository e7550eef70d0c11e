"""The generated configuration as files: written so that Envoy never reads half of one, and validated by Envoy."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final

from waypost.errors import ConfigError, Problem, SetupError
from waypost.serve.child import without_secrets
from waypost.serve.envoy.binary import envoy_binary
from waypost.serve.envoy.layout import Layout
from waypost.serve.envoy.names import Block

__all__ = ["prepare", "validate", "write"]

_LONGEST_SOCKET_PATH: Final = 100
"""Bytes. The shortest limit of the systems that we run on is 104, with a zero at the end."""
_VALIDATION_TIMEOUT: Final = 60.0


def prepare(run_dir: Path) -> Layout:
    """Create the run directory, for our eyes only. Raises SetupError when it cannot hold a Unix socket."""
    layout = Layout(run_dir.absolute())
    if len(os.fsencode(layout.admin)) > _LONGEST_SOCKET_PATH:
        raise SetupError(f"the path of the run directory is too long for a Unix socket: {layout.root}")
    layout.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    layout.root.chmod(0o700)
    return layout


def write(path: Path, content: Block) -> None:
    """Replace ``path`` as a whole: Envoy watches for the rename. Raises SetupError, and ``path`` is as before."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        with open(temporary, "w", opener=_for_our_eyes) as file:
            file.write(f"{json.dumps(content, indent=1)}\n")
        temporary.rename(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SetupError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from error


def _for_our_eyes(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def validate(layout: Layout, standalone: Block) -> None:
    """Have Envoy judge a whole static configuration, and leave it in ``layout.standalone`` to be read.

    Takes some 0.2 s. Raises ConfigError with Envoy's own words, SetupError when there is no Envoy.
    """
    write(layout.standalone, standalone)
    arguments = [str(envoy_binary()), "--mode", "validate", "--log-level", "error", "-c", str(layout.standalone)]
    result = subprocess.run(
        arguments,
        env=without_secrets(os.environ),
        capture_output=True,
        text=True,
        timeout=_VALIDATION_TIMEOUT,
        check=False,
    )
    if result.returncode:
        said = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
        raise ConfigError([Problem(str(layout.standalone), 0, 0, "", f"Envoy refuses it: {said[-1]}")])
