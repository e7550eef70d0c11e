"""Asks the OSV database for known vulnerabilities of everything in the lock files; fails when there is one.

Where the database cannot be reached nothing is known: that is said in one line, and is no failure.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

LOCKS: Final = ("serve.txt", "weights.txt", "dev.txt", "uv.txt")
UNHASHED: Final = ("train.txt",)
AUDIT: Final = (Path(sys.executable).with_name("pip-audit"), "--vulnerability-service=osv", "--progress-spinner=off")
_UNREACHABLE: Final = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "ServiceError")


class Unreachable(Exception):
    """The database does not answer."""


def main(*command: str | Path) -> int:
    """Run the audit; returns its exit code. ``command`` is pip-audit with the options that choose the database."""
    try:
        # The lock files are whole, so nothing is resolved and nothing installed.
        hashed = _audit(*command, "--require-hashes", *_files(LOCKS))
        return max(hashed, _audit(*command, "--no-deps", *_files(UNHASHED)))
    except Unreachable as error:
        sys.stderr.write(f"audit: not done, the database of vulnerabilities cannot be reached: {error}\n")
        return 0


def _files(locks: Iterable[str]) -> list[str | Path]:
    here = Path(__file__).parent
    return [option for lock in locks for option in ("--requirement", here / lock)]


def _audit(*command: str | Path) -> int:
    result = subprocess.run([*command, "--disable-pip"], capture_output=True, text=True, check=False)
    last = (result.stderr.strip().splitlines() or [""])[-1]
    if result.returncode and any(name in last for name in _UNREACHABLE):
        raise Unreachable(last[:160])
    sys.stderr.write(result.stdout + result.stderr)
    return result.returncode


if __name__ == "__main__":
    sys.exit(main(*AUDIT))
