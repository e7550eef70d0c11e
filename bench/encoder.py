"""What it costs to understand a text: time by length, requests a second, memory, time to load.

Each way to do it runs in a process of its own, in turns. Weights are random where a model cannot be had offline;
time does not depend on them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from processes import ForeignLoad
from readers import READERS, Read, open_encoder
from report import arguments, publish, spread, table

from waypost.inference.manifest import SHIPPED, TOKENIZER
from waypost.inference.tokenizer import Tokenizer

_WAYPOST: Final = "waypost"
_LENGTHS: Final = (16, 64, 128, 512, 2048, 8192)
_CLIENTS: Final = (1, 2, 4)
_PROSE: Final = (
    "A traveller asks whether the contract that she signed in New York still binds her after the company moved, what a "
    "judge would say about it, and how to compute the interest of 3.5 % on 12,000 dollars over seven years. 旅客想知道"
    "合同是否仍然有效,以及如何计算利息。"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One system, once. Times in milliseconds, by number of tokens; memory in MB."""

    system: str
    p50: dict[str, float]
    p99: dict[str, float]
    cpu: dict[str, float]
    """Median CPU time of the process, which neighbours on a shared machine disturb least."""
    load_seconds: float
    rss_loaded: float
    rss_after: float
    rates: dict[str, float]
    """Requests a second by number of clients, of texts of 64 tokens."""
    foreign: float


def main() -> None:
    parser = arguments(__doc__, seconds=2.0)
    parser.add_argument("--weights", type=Path, default=SHIPPED, help="directory of the encoder (the package's)")
    parser.add_argument("--only", choices=READERS, help="measure one system")
    parser.add_argument("--longest", type=int, default=_LENGTHS[-1], help="tokens (%(default)s)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.weights is None:
        parser.error("the package has no trained weights; name a directory with --weights")
    if options.child:
        print(json.dumps(asdict(_measure(options))))
        return
    names = [options.only] if options.only else [n for n in READERS if "PyTorch" not in n or find_spec("torch")]
    samples = [_in_child(name, options) for _ in range(options.rounds) for name in names]
    how = (
        "All three classifiers, the personal data and the sentence embedding of one text, on one core. ms a request: "
        "p50 and p99 of wall time, and the CPU time of the process. Beside waypost: its graph without queue and "
        "windows' joining, one encoder a task instead of a shared one, and PyTorch in full precision."
    )
    publish("encoder", how, (_times(samples, names), _sizes(samples, names), _rates(samples)), samples, options)


def _in_child(name: str, options: argparse.Namespace) -> Sample:
    settings = {"seconds": options.seconds, "weights": options.weights, "only": name, "longest": options.longest}
    flags = [f"--{key}={value}" for key, value in settings.items()]
    done = subprocess.run([sys.executable, __file__, "--child", *flags], check=True, stdout=subprocess.PIPE)
    print(f"measured {name}", file=sys.stderr)
    return Sample(**json.loads(done.stdout))


def _measure(options: argparse.Namespace) -> Sample:
    foreign, begun = ForeignLoad(), time.perf_counter()
    with READERS[options.only](options.weights) as read:
        load_seconds = time.perf_counter() - begun
        read("warm up")
        rss_loaded = _rss()
        tokenizer = Tokenizer(options.weights / TOKENIZER)
        lengths = [length for length in _LENGTHS if length <= options.longest]
        times = {str(length): _time(read, _texts(tokenizer, length), options.seconds) for length in lengths}
        rss_after = _rss()
    rates = asyncio.run(_throughput(options)) if options.only == _WAYPOST else {}
    p50, p99, cpu = ({length: found[index] for length, found in times.items()} for index in range(3))
    return Sample(options.only, p50, p99, cpu, load_seconds, rss_loaded, rss_after, rates, foreign.lap())


def _time(read: Read, texts: Sequence[str], seconds: float) -> tuple[float, float, float]:
    walls, cpus = [], []
    end = time.perf_counter() + seconds
    while len(walls) < 2 or time.perf_counter() < end:
        wall, cpu = time.perf_counter(), time.process_time()
        read(texts[len(walls) % len(texts)])
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return median(walls), quantiles(walls, n=100, method="inclusive")[98], median(cpus)


async def _throughput(options: argparse.Namespace) -> dict[str, float]:
    encoder = open_encoder(options.weights)
    texts = _texts(Tokenizer(options.weights / TOKENIZER), 64)

    async def client(end: float) -> int:
        done = 0
        while time.perf_counter() < end:
            await encoder.encode(texts[done % len(texts)])
            done += 1
        return done

    rates = {}
    for count in _CLIENTS:
        end = time.perf_counter() + options.seconds
        rates[str(count)] = sum(await asyncio.gather(*(client(end) for _ in range(count)))) / options.seconds
    encoder.close()
    return rates


def _texts(tokenizer: Tokenizer, tokens: int) -> list[str]:
    """Texts of as many tokens, which begin at different words."""
    words = _PROSE.split()
    texts = [" ".join(words[(first + index) % len(words)] for index in range(tokens)) for first in range(8)]
    return [text[: tokenizer.tokenize(text).offsets[tokens - 1][1]] for text in texts]


def _rss() -> float:
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def _times(samples: Sequence[Sample], names: Sequence[str]) -> str:
    lengths = list(samples[0].p50)
    rows = []
    for name in names:
        of = [sample for sample in samples if sample.system == name]
        for what, figures in (("p50", [s.p50 for s in of]), ("p99", [s.p99 for s in of]), ("CPU", [s.cpu for s in of])):
            rows.append((name, what, *(spread([figure[n] for figure in figures], 1) for n in lengths)))
    return table(("System", "ms", *(f"{length} tokens" for length in lengths)), rows)


def _sizes(samples: Sequence[Sample], names: Sequence[str]) -> str:
    def row(name: str, *values: Callable[[Sample], float]) -> tuple[str, ...]:
        return (name, *(spread([value(s) for s in samples if s.system == name], 1) for value in values))

    sizes = (lambda s: s.load_seconds, lambda s: s.rss_loaded, lambda s: s.rss_after)
    return table(("System", "load s", "RSS loaded MB", "RSS after MB"), (row(name, *sizes) for name in names))


def _rates(samples: Sequence[Sample]) -> str:
    of = [sample.rates for sample in samples if sample.rates]
    rows = [(count, spread([rates[count] for rates in of])) for count in (of[0] if of else ())]
    return table(("Clients at once, 64 tokens, two threads", "requests/s"), rows)


if __name__ == "__main__":
    main()
