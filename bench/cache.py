"""What a semantic cache costs without the embedding: time of a lookup and of a store, memory an entry.

Each system and size in a process of its own, in turns. GPTCache (faiss and SQLite) runs when --gptcache names a Python
that has gptcache, faiss-cpu and sqlalchemy.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_SIZES = (1_000, 10_000, 100_000)
_LOOKUPS = 500
_CELLS = ("exact hit ms", "similar hit ms", "miss ms", "store ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gptcache", metavar="PYTHON", help="a Python interpreter that has gptcache")
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES, help="entries (%(default)s)")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write every sample into this file")
    parser.add_argument("--child", choices=_SYSTEMS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_SYSTEMS[options.child](options.sizes[0])))
        return
    pythons = {"waypost": sys.executable, "waypost with file": sys.executable}
    if options.gptcache:
        pythons["GPTCache"] = options.gptcache
    samples = [
        _in_child(name, python, size)
        for _ in range(options.rounds)
        for size in options.sizes
        for name, python in pythons.items()
    ]
    _print(samples)
    if options.json:
        options.json.write_text(json.dumps(samples, indent=1) + "\n")


def _in_child(name: str, python: str, size: int) -> dict[str, Any]:
    # One thread for everybody: BLAS libraries differ in how many they take, and a router shares its cores.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [python, __file__, "--child", name, "--sizes", str(size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    print(f"measured {name} with {size} entries", file=sys.stderr)
    return {"system": name, **json.loads(done.stdout.splitlines()[-1])}


def _waypost(entries: int) -> dict[str, Any]:
    from waypost.cache.measure import measure_memory

    return asyncio.run(measure_memory(entries))


def _waypost_file(entries: int) -> dict[str, Any]:
    from waypost.cache.measure import measure
    from waypost.cache.store.sqlite import SqliteStore
    from waypost.config.caching import CacheConfig

    async def run(path: Path) -> dict[str, Any]:
        config = CacheConfig(timeout="10s")
        store = SqliteStore(path, max_entries=2 * entries, max_bytes=2**36)
        try:
            return await measure(store, config, entries)
        finally:
            await store.close()

    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(run(Path(directory) / "cache.sqlite"))


def _gptcache(entries: int) -> dict[str, Any]:
    from gptcache.manager import CacheBase, VectorBase, get_data_manager

    generator = np.random.default_rng(1)
    known, unknown = _units(generator, entries), _units(generator, _LOOKUPS)
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        vectors = VectorBase("faiss", dimension=known.shape[1], index_path="faiss.index", top_k=8)
        manager = get_data_manager(CacheBase("sqlite", sql_url="sqlite:///cache.db"), vectors, max_size=2 * entries)
        before = _resident()
        answer = "x" * 1000

        def store(number: int) -> None:
            question = (
                f"How do I replace the pump of the washing machine model {number} when it does not start any more?"
            )
            manager.save(question, answer, known[number])

        stores = _timed(store, range(entries))
        memory = (_resident() - before) / entries
        turns = generator.integers(entries, size=_LOOKUPS).tolist()
        near = known[turns] + 0.01 * unknown

        def lookup(vector: np.ndarray) -> None:
            for found in manager.search(vector, top_k=8)[:1]:
                manager.get_scalar_data(found)

        figures = {
            "similar hit ms": _timed(lookup, [vector / np.linalg.norm(vector) for vector in near]),
            "miss ms": _timed(lookup, unknown),
        }
    return {"entries": entries, **figures, "store ms": stores, "bytes an entry": round(memory)}


def _units(generator: np.random.Generator, count: int) -> np.ndarray:
    found = generator.standard_normal((count, 384), np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _timed(call: Callable[[Any], None], arguments: Sequence[Any] | np.ndarray) -> dict[str, float]:
    seconds = []
    for argument in arguments:
        start = time.perf_counter()
        call(argument)
        seconds.append(time.perf_counter() - start)
    p50, p99 = np.percentile(np.array(seconds) * 1000, (50, 99))
    return {"p50": round(float(p50), 4), "p99": round(float(p99), 4)}


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


_SYSTEMS: dict[str, Callable[[int], dict[str, Any]]] = {
    "waypost": _waypost,
    "waypost with file": _waypost_file,
    "GPTCache": _gptcache,
}


def _print(samples: Sequence[dict[str, Any]]) -> None:
    from machine import facts
    from report import spread, table

    rows = []
    for size in dict.fromkeys(sample["entries"] for sample in samples):
        for name in dict.fromkeys(sample["system"] for sample in samples):
            mine = [sample for sample in samples if (sample["system"], sample["entries"]) == (name, size)]
            rows.append((name, f"{size:,}", *_row(mine, spread)))
    print(table(("System", "entries", *(f"{cell}: p50 / p99" for cell in _CELLS), "bytes an entry"), rows))
    print("\n" + "\n".join(f"- {name}: {value}" for name, value in facts([0.0]).items() if name != "foreign load"))


def _row(samples: Sequence[dict[str, Any]], spread: Callable[..., str]) -> list[str]:
    cells = []
    for cell in _CELLS:
        found = [sample[cell] for sample in samples if cell in sample]
        shown = (spread([one[share] for one in found], 3) for share in ("p50", "p99"))
        cells.append(" / ".join(shown) if found else "–")
    return [*cells, spread([sample["bytes an entry"] for sample in samples])]


if __name__ == "__main__":
    main()
