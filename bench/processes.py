"""CPU time of processes and of the machine, from /proc (Linux, proc(5))."""

from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter
from typing import Final

__all__ = ["ForeignLoad", "child_named", "cpu_seconds", "tree"]

_TICKS: Final = os.sysconf("SC_CLK_TCK")
# Fields 14 to 17 of proc(5), counted after the name: user and system time, then those of children that were reaped.
_OWN: Final = slice(11, 13)
_WITH_REAPED: Final = slice(11, 15)


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process, to 10 ms."""
    return _ticks(pid, _OWN) / _TICKS


def child_named(parent: int, name: str) -> int:
    """Find the one child of ``parent`` whose program has this name. Raises ValueError."""
    (child,) = (pid for pid in _children(parent) if Path(f"/proc/{pid}/comm").read_text().strip() == name)
    return child


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    return [pid, *(found for child in _children(pid) for found in tree(child))]


class ForeignLoad:
    """How many cores were busy with other people's work since this object was made, or since ``lap`` was called."""

    def __init__(self) -> None:
        self._at = self._now()

    def lap(self) -> float:
        """Cores, on average: 0.0 on a machine of one's own."""
        (wall, busy, ours), self._at = self._at, self._now()
        return max(0.0, (self._at[1] - busy) - (self._at[2] - ours)) / (self._at[0] - wall)

    @staticmethod
    def _now() -> tuple[float, float, float]:
        user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split(None, 8)[1:8])
        return perf_counter(), (user + nice + system + irq + softirq) / _TICKS, _tree_seconds(os.getpid())


def _tree_seconds(pid: int) -> float:
    """Time of a process and of all that descends from it, as far as it lives or was waited for."""
    return sum(_ticks(one, _WITH_REAPED) for one in tree(pid)) / _TICKS


def _ticks(pid: int, fields: slice) -> int:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    return sum(map(int, after_name.split()[fields]))


def _children(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for children in lists for child in children.read_text().split()]
