"""Settings of the Python process that pay off for this server. Called once, by ``serve``, before gRPC is imported."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Final

__all__ = ["tune_process"]

SWITCH_INTERVAL: Final = 0.0005
"""Seconds. The inference thread gives the event loop its turn ten times sooner than Python's default 5 ms."""

# mallopt(3). Bodies are read into fresh buffers; by default glibc returns each to the kernel and asks for it again,
# a large part of the CPU time from 32 KB on. The price is up to M_TRIM_THRESHOLD of memory kept while idle, for each
# thread that glibc gives a heap of its own. A document for the encoder takes more than that, and it goes back.
_MALLOPT: Final = {
    -1: 16 * 2**20,  # M_TRIM_THRESHOLD
    -2: 8 * 2**20,  # M_TOP_PAD
    -3: 64 * 2**20,  # M_MMAP_THRESHOLD
}


def tune_process() -> None:
    """Shorten the switch interval, set up gRPC's core and, on glibc, keep freed memory in the process."""
    # Our children exec at once. gRPC's fork handlers would only stop its threads, and complain when they cannot.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    # gRPC's newer listener passes each message through threads of its own: a tenth to a third more CPU time a request.
    os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
    # A line on stderr for every handshake that is refused would be a gift to whoever tries them.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    sys.setswitchinterval(SWITCH_INTERVAL)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:  # musl has none
        for option, value in _MALLOPT.items():
            mallopt(option, value)
