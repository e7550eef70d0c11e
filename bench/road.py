"""What the road through waypost costs: Envoy alone, with keyword rules, and with the classifier, in turns.

Every system runs all the time; rounds go over all workloads and, within each, over all systems, so that whatever else
the machine does meets all of them alike. CPU time is that of the process, so it counts the same under foreign load.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from processes import ForeignLoad, cpu_seconds
from report import arguments, publish, spread, table
from systems import ENVOY, System, chat_body, start_all

_INTERVAL: Final = 0.01
_PIECES: Final = 100


@dataclass(frozen=True, slots=True)
class Workload:
    """``pieces`` is 0 for answers that are not streamed."""

    connections: int
    pieces: int = 0


_WORKLOADS: Final = (Workload(1), Workload(8), Workload(1, pieces=1), Workload(8, pieces=_PIECES))


@dataclass(frozen=True, slots=True)
class Sample:
    """One system under one workload, for some seconds. CPU times are in microseconds a request."""

    system: str
    workload: Workload
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    first_byte_ms: float
    waypost_us: float
    envoy_us: float
    foreign: float


class Samples:
    """What one run measured; in the order of the rounds for each system and workload."""

    def __init__(self, samples: list[Sample]) -> None:
        self.all = samples
        self.systems = tuple(dict.fromkeys(sample.system for sample in samples))

    def of(self, system: str, workload: Workload, value: Callable[[Sample], float]) -> list[float]:
        return [value(one) for one in self.all if (one.system, one.workload) == (system, workload)]


def measure(system: System, workload: Workload, seconds: float) -> Sample:
    """Load one system. Raises RuntimeError when a request fails: figures with errors in them are none."""
    foreign = ForeignLoad()
    waypost, envoy = _waypost_seconds(system), cpu_seconds(system.envoy)
    found = _load(system.port, workload, seconds)
    errors, requests = found.pop("errors"), found.pop("requests")
    if errors or not requests:
        raise RuntimeError(f"{system.name}: {errors:.0f} errors and {requests:.0f} answers")
    a_request = 1e6 / requests
    return Sample(
        system.name,
        workload,
        waypost_us=(_waypost_seconds(system) - waypost) * a_request,
        envoy_us=(cpu_seconds(system.envoy) - envoy) * a_request,
        foreign=foreign.lap(),
        **found,
    )


def _waypost_seconds(system: System) -> float:
    return cpu_seconds(system.waypost) if system.waypost else 0.0


def _load(port: int, workload: Workload, seconds: float) -> dict[str, float]:
    options = {"port": port, "connections": workload.connections, "seconds": seconds}
    command = [sys.executable, str(Path(__file__).with_name("load.py"))]
    command += (f"--{key}={value}" for key, value in options.items())
    body = chat_body(stream=workload.pieces)
    done = subprocess.run(command, input=body, stdout=subprocess.PIPE, check=True, timeout=seconds + 60)
    return dict(json.loads(done.stdout))


def run(rounds: int, seconds: float, before: Path | None) -> Samples:
    """Start everything, measure, stop everything."""
    with (
        tempfile.TemporaryDirectory(prefix="waypost-bench-") as folder,
        start_all(Path(folder), _INTERVAL, before) as systems,
    ):
        for system in systems:  # pages, caches and the allocator
            measure(system, Workload(8), 1.0)
        return Samples(list(_samples(systems, rounds, seconds)))


def _samples(systems: list[System], rounds: int, seconds: float) -> Iterator[Sample]:
    for number in range(1, rounds + 1):
        for workload in _WORKLOADS:
            for system in systems:
                yield (sample := measure(system, workload, seconds))
                print(f"round {number}/{rounds}  {sample}", file=sys.stderr)


def _requests_table(samples: Samples) -> str:
    header = ("Answers in one piece", "connections", "requests/s", "p50 ms", "p99 ms", "waypost µs", "Envoy µs")
    return table(
        header,
        (
            (
                system,
                str(workload.connections),
                spread(samples.of(system, workload, lambda one: one.requests_per_second)),
                spread(samples.of(system, workload, lambda one: one.p50_ms), 2),
                spread(samples.of(system, workload, lambda one: one.p99_ms), 1),
                spread(samples.of(system, workload, lambda one: one.waypost_us)),
                spread(samples.of(system, workload, lambda one: one.envoy_us)),
            )
            for workload in _WORKLOADS
            if not workload.pieces
            for system in samples.systems
        ),
    )


def _streams_table(samples: Samples) -> str:
    header = ("Streamed answers", "first piece ms", "added ms", "waypost µs a piece", "Envoy µs a piece")
    return table(header, (_streams_row(samples, system) for system in samples.systems))


def _streams_row(samples: Samples, system: str) -> tuple[str, ...]:
    *_, short, long = _WORKLOADS

    def first_piece(of: str) -> list[float]:
        return samples.of(of, short, lambda one: one.first_byte_ms)

    def a_piece(microseconds: Callable[[Sample], float]) -> list[float]:
        pairs = zip(samples.of(system, long, microseconds), samples.of(system, short, microseconds), strict=True)
        return [(many - one) / (long.pieces - short.pieces) for many, one in pairs]

    added = [with_it - without for with_it, without in zip(first_piece(system), first_piece(ENVOY), strict=True)]
    return (
        system,
        spread(first_piece(system), 2),
        "" if system == ENVOY else spread(added, 2),
        spread(a_piece(lambda one: one.waypost_us)),
        spread(a_piece(lambda one: one.envoy_us)),
    )


def main() -> None:
    parser = arguments(__doc__, seconds=3.0)
    parser.add_argument(
        "--before", type=Path, metavar="SRC", help="src of another checkout, to measure beside this one"
    )
    options = parser.parse_args()
    samples = run(options.rounds, options.seconds, options.before)
    how = (
        f"A chat request of {len(chat_body())} bytes is rewritten (model, system prompt, reasoning) and answered by a "
        "trivial backend. Client, backend, Envoy (one worker) and waypost share the cores: requests/s are those of the "
        "whole machine. µs are CPU time of the process, a request. First piece: the median time to the first byte of a "
        "stream's body, 1 connection. A piece: what each further piece of a stream costs; 8 streams, a piece every "
        f"{_INTERVAL * 1000:g} ms."
    )
    publish("road", how, (_requests_table(samples), _streams_table(samples)), samples.all, options)


if __name__ == "__main__":
    main()
