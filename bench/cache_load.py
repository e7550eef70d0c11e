"""What every cache is asked in ``bench/cache.py``: run by the Python of that cache, so that it needs only numpy."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Protocol

import numpy as np
from processes import cpu_seconds

__all__ = ["ANSWER", "System", "measure", "question"]

_DIMENSIONS = 384
_CALLS = 500
_SECONDS = 4.0
"""Both bound the calls of each kind at each size."""
_NOISE = 0.01
_PAGE = 1_000
ANSWER = "x" * 1_000
Vectors = Any
"""Of numpy, [count, 384]; its types are not needed here."""
Figures = dict[str, Any]


class System(Protocol):
    """A cache, asked with embeddings that are known already."""

    has_exact: bool
    """Whether it finds an identical request without an embedding."""

    async def fill(self, first: int, vectors: Vectors) -> None:
        """Store the questions from number ``first`` on, the quickest way it has."""
        ...

    async def store(self, number: int, vector: Vectors) -> None:
        """Store one, as for a request."""
        ...

    async def exact(self, number: int) -> bool:
        """Ask what is stored; True when an answer comes."""
        ...

    async def similar(self, number: int, vector: Vectors) -> bool:
        """Ask a question of this text and embedding in a request that is not stored; True when an answer comes."""
        ...


def question(number: int) -> str:
    """Make a question of usual length."""
    return f"How do I replace the pump of the washing machine model {number} when it does not start any more?"


async def measure(system: System, sizes: Sequence[int], server: int | None) -> None:
    """Grow ``system`` to each of ``sizes`` and write what it does there, one line of JSON each.

    ``server``: process id of the server behind it.
    """
    known, unknown, (first,) = _units(max(sizes), 1), _units(_CALLS, 2), _units(1, 4)
    await system.store(-1, first)
    await system.similar(-1, first)  # first imports and connections are no entry's
    before, filled = _resident(server), 0
    for size in sorted(sizes):
        await _fill(system, filled, size - _CALLS, known)
        stores = await _timed(partial(_stored, system, known[size - _CALLS : size], size - _CALLS), server)
        await _fill(system, size - _CALLS + stores["calls"], size, known)
        filled = size
        calls = {"store": stores, **await _lookups(system, size, known, unknown, server)}
        entry = [(now - then) / size for now, then in zip(_resident(server), before, strict=True)]
        print(json.dumps({"entries": size, "calls": calls, "own_bytes": entry[0], "server_bytes": sum(entry[1:])}))
        sys.stdout.flush()


async def _fill(system: System, first: int, last: int, known: Vectors) -> None:
    for begin in range(first, last, _PAGE):
        await system.fill(begin, known[begin : min(begin + _PAGE, last)])


async def _lookups(
    system: System, size: int, known: Vectors, unknown: Vectors, server: int | None
) -> Mapping[str, Figures]:
    numbers = np.random.default_rng(3).integers(size, size=_CALLS).tolist()
    near = known[numbers] + _NOISE * unknown
    near /= np.linalg.norm(near, axis=1, keepdims=True)

    async def exact(turn: int) -> bool:
        return await system.exact(numbers[turn])

    async def similar(turn: int) -> bool:
        return await system.similar(numbers[turn], near[turn])

    async def miss(turn: int) -> bool:
        return not await system.similar(-turn - 2, unknown[turn])

    await similar(0)  # what a first search copies or builds is no lookup's
    asked = {"exact hit": exact} if system.has_exact else {}
    return {name: await _timed(call, server) for name, call in {**asked, "similar hit": similar, "miss": miss}.items()}


async def _stored(system: System, vectors: Vectors, first: int, turn: int) -> bool:
    await system.store(first + turn, vectors[turn])
    return True


async def _timed(call: Callable[[int], Awaitable[bool]], server: int | None) -> Figures:
    """Wall time of a call in ms, CPU time of this process and of the server in µs. Raises RuntimeError."""
    seconds, cpu, servers = [], process_time(), _cpu(server)
    until = perf_counter() + _SECONDS
    for turn in range(_CALLS):
        start = perf_counter()
        done = await call(turn)
        seconds.append(perf_counter() - start)
        if not done:
            raise RuntimeError("the cache did not do what is measured")
        if start > until:
            break
    count, own, others = len(seconds), process_time() - cpu, _cpu(server) - servers
    p50, p99 = (float(each) for each in np.percentile(np.array(seconds) * 1e3, (50, 99)))
    return {"calls": count, "p50": p50, "p99": p99, "cpu": own * 1e6 / count, "server": others * 1e6 / count}


def _cpu(server: int | None) -> float:
    return 0.0 if server is None else cpu_seconds(server)


def _resident(server: int | None) -> list[int]:
    """Bytes of this process, and of the server where there is one."""
    processes = ("self",) if server is None else ("self", str(server))
    return [int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096 for process in processes]


def _units(count: int, seed: int) -> Vectors:
    found = np.random.default_rng(seed).standard_normal((count, _DIMENSIONS), np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)
