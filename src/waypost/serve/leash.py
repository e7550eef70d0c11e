"""Run a program that ends when its parent does: ``python -I -S leash.py PARENT PROGRAM ARGUMENTS…``.

A script of its own instead of a ``preexec_fn``: our process has threads (gRPC, ONNX Runtime), and a fork of it that
runs anything before its exec can abort or hang. It imports nothing of ours and takes some 25 ms.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

__all__: list[str] = []

_PR_SET_PDEATHSIG: Final = 1


def _main(parent: str, *command: str) -> None:
    os.setsid()  # Ctrl-C in the terminal reaches our parent alone: it decides the order of the end
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it died before the line above
        return
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    _main(*sys.argv[1:])
