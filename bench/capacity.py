"""What a fleet of workers carries: service times measured here, and p99 against load for 1 to 1000 cores simulated.

A worker is one core that runs one router process: the event loop's share of a request, and the encoder's passes over
its text. Both are measured as CPU time, so that other work on the machine hardly enters.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import process_time
from typing import Final

import numpy as np
import uvloop
from processes import ForeignLoad
from queueing import Floats, mean_stay, stays
from report import arguments, publish, table
from road import Workload
from road import measure as load_system
from route_latency import prose
from systems import KEYWORDS, start_all

from waypost.build import build_engine, load_encoder
from waypost.config.find import embedded
from waypost.config.load import load
from waypost.engine import Engine
from waypost.inference.manifest import SHIPPED, TOKENIZER
from waypost.inference.tokenizer import Tokenizer
from waypost.serve.tuning import tune_process
from waypost.types import Message, Request

_CORES: Final = (1, 2, 4, 8, 16, 64, 256, 1000)
_LOADS: Final = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
_FEW: Final = (1, 4, 64, 1000)
_BUDGETS: Final = (0.1, 0.25, 1.0)
"""Seconds that the p99 may last."""
_REQUESTS: Final = 200_000
"""In one simulation; some 1,800 of them lie beyond the p99."""
_DRAWS: Final = 20_000
_HALVINGS: Final = 6
_MIXES: Final = {
    "chat": {16: 0.4, 64: 0.45, 256: 0.15},
    "with documents": {16: 0.3, 64: 0.4, 256: 0.2, 1024: 0.09, 4096: 0.01},
}
"""Shares of texts of so many tokens. An assumption: what your clients send decides."""


@dataclass(frozen=True, slots=True)
class Sample:
    """CPU milliseconds of requests with texts of ``tokens``; with 0 tokens, of all but the text."""

    tokens: int
    waypost_ms: tuple[float, ...]
    envoy_ms: float
    foreign: float


async def _texts(lengths: Sequence[int], rounds: int, seconds: float) -> list[Sample]:
    """Route by the demo's rules and guards."""
    config = load(embedded("demo"), os.environ).config
    encoder = load_encoder(config)
    engine = build_engine(config, os.environ, encoder=encoder)
    tokenizer = Tokenizer(SHIPPED / TOKENIZER)
    samples: list[Sample] = []
    new = count()  # a text that was read before costs nothing
    for number in range(1, rounds + 1):
        samples += [await _routed(engine, prose(tokenizer, tokens - 1), new, tokens, seconds) for tokens in lengths]
        print(f"round {number}/{rounds}", file=sys.stderr)
    if encoder:
        encoder.close()
    return samples


async def _routed(engine: Engine, text: str, new: Iterator[int], tokens: int, seconds: float) -> Sample:
    foreign, found = ForeignLoad(), []
    while sum(found) < 1000 * seconds:
        said = f"{text} {next(new)}"
        began = process_time()
        await engine.route(Request("chat", "MoM", (Message("user", said),), said))
        found.append(1000 * (process_time() - began))
    return Sample(tokens, tuple(found[1:]), 0.0, foreign.lap())


def _road(rounds: int, seconds: float) -> list[Sample]:
    """Everything beside the text: ExtProc, reading and editing, metrics; and Envoy's share."""
    with tempfile.TemporaryDirectory(prefix="waypost-bench-") as folder, start_all(Path(folder), 0.01, None) as all_:
        (system,) = (one for one in all_ if one.name == KEYWORDS)
        load_system(system, Workload(8), 1.0)
        measured = [load_system(system, Workload(8), seconds) for _ in range(rounds)]
    return [Sample(0, (one.waypost_us / 1000,), one.envoy_us / 1000, one.foreign) for one in measured]


def _services(samples: Sequence[Sample], mix: Mapping[int, float], random: np.random.Generator) -> Floats:
    """Draw seconds of work on a worker, for a traffic of this mix of lengths."""
    of = {tokens: np.concatenate([s.waypost_ms for s in samples if s.tokens == tokens]) for tokens in (0, *mix)}
    shares = np.array(list(mix.values()))
    lengths = random.choice(list(mix), _DRAWS, p=shares / shares.sum())
    texts = np.empty(_DRAWS)
    for tokens in mix:
        texts[lengths == tokens] = random.choice(of[tokens], int((lengths == tokens).sum()))
    return (texts + np.median(of[0])) / 1000


def _p99(services: Floats, cores: int, load: float) -> float:
    return float(np.quantile(stays(services, cores, load, _REQUESTS, np.random.default_rng(cores)), 0.99))


def _carries(services: Floats, cores: int, budget: float) -> float:
    """Requests/s at which the p99 is just within the budget, by halving; 0 when it is not even when idle."""
    low, high = 0.0, 0.99
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _p99(services, cores, middle) <= budget else (low, middle)
    return low * cores / float(services.mean())


def _tables(samples: Sequence[Sample], traffics: Mapping[str, Floats]) -> list[str]:
    latencies = [_latencies(name, services) for name, services in traffics.items()]
    return [_costs(samples), *latencies, _capacities(traffics), _agreement(traffics)]


def _costs(samples: Sequence[Sample]) -> str:
    rows = []
    for tokens in sorted({sample.tokens for sample in samples}):
        mine = [sample for sample in samples if sample.tokens == tokens]
        took = np.concatenate([sample.waypost_ms for sample in mine])
        envoy = f"{np.median([sample.envoy_ms for sample in mine]):.2f}" if not tokens else ""
        name = f"a text of {tokens} tokens" if tokens else "all but the text"
        rows.append((name, f"{np.median(took):.1f}", f"{np.quantile(took, 0.99):.1f}", envoy))
    return table(("CPU ms a request", "waypost, median", "p99", "Envoy"), rows)


def _latencies(name: str, services: Floats) -> str:
    rate = 1 / float(services.mean())
    header = (
        f"Traffic “{name}”: simulated p99 in ms at a load of",
        *(f"{load:.0%}" for load in _LOADS),
        "requests/s at 70 %",
    )
    rows = (
        (
            f"{cores} core{'s' * (cores > 1)}",
            *(f"{1000 * _p99(services, cores, load):.0f}" for load in _LOADS),
            f"{0.7 * rate * cores:.0f}",
        )
        for cores in _CORES
    )
    return table(header, rows)


def _capacities(traffics: Mapping[str, Floats]) -> str:
    header = ("Simulated requests/s a core with a p99 of at most", *(f"{1000 * each:.0f} ms" for each in _BUDGETS))
    rows = (
        (
            f"“{name}”, {cores} core{'s' * (cores > 1)}",
            *(f"{_carries(services, cores, budget) / cores:.0f}" for budget in _BUDGETS),
        )
        for name, services in traffics.items()
        for cores in _FEW
    )
    return table(header, rows)


def _agreement(traffics: Mapping[str, Floats]) -> str:
    random = np.random.default_rng(0)
    rows = (
        (
            f"“{name}” at {load:.0%}",
            f"{1000 * stays(services, 1, load, 5 * _REQUESTS, random).mean():.1f}",
            f"{1000 * mean_stay(services, load):.1f}",
        )
        for name, services in traffics.items()
        for load in _LOADS[1:-1:2]
    )
    return table(("One core, mean ms of a request", "simulated", "Pollaczek and Khinchine"), rows)


def main() -> None:
    options = arguments(__doc__, seconds=1.0).parse_args()
    tune_process()
    samples = _road(options.rounds, options.seconds)
    lengths = sorted({tokens for mix in _MIXES.values() for tokens in mix})
    samples += uvloop.run(_texts(lengths, options.rounds, options.seconds))
    traffics = {name: _services(samples, mix, np.random.default_rng(0)) for name, mix in _MIXES.items()}
    mixes = "; ".join(
        f"“{name}”: {', '.join(f'{share:.0%} of {tokens}' for tokens, share in mix.items())} tokens, "
        f"{1000 * traffics[name].mean():.1f} ms of a core a request"
        for name, mix in _MIXES.items()
    )
    how = (
        "CPU times of `engine.route` on the embedded demo configuration (rules, jailbreak and personal data guard) and "
        "of the road with keyword rules, 8 connections. The traffics are assumptions, of texts that were not read "
        f"before: {mixes}. Simulated: Poisson arrivals, {_REQUESTS:,} requests a figure, one worker a core, each "
        "request to the less busy of two workers taken at random. The last table checks the simulation against the "
        "formula for one server."
    )
    publish("capacity", how, _tables(samples, traffics), samples, options)


if __name__ == "__main__":
    main()
