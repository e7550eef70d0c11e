"""How long a routing decision takes: ``engine.route`` on the embedded demo configuration, with the real encoder.

No network, no Envoy: one process, one or two clients that ask again as soon as they have their answer.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter, process_time
from typing import Final

import uvloop
from processes import ForeignLoad
from report import arguments, publish, spread, table

from waypost.build import build_engine
from waypost.config.find import embedded
from waypost.config.load import load
from waypost.engine import Engine
from waypost.inference.encoder import OnnxEncoder
from waypost.inference.manifest import SHIPPED, TOKENIZER
from waypost.inference.recipe import WINDOW
from waypost.inference.tokenizer import Tokenizer
from waypost.serve.tuning import tune_process
from waypost.types import Message, Request

_PROMPTS: Final = (
    "帮我解这道微积分题:求 x^2·sin(x) 的导数",
    "Write a Python function that reverses a linked list",
    "Is a verbal contract enforceable?",
    "Tell me a joke about cats",
)
_LONG: Final = {
    "English": (
        "The harbour town had grown rich on salt and timber, and its merchants kept careful ledgers of every ship that "
        "passed the breakwater. When the river shifted its bed after a wet autumn, they argued for months about who "
        "should pay for a new channel, and whether the old one could be saved at all. "
    ),
    "Chinese": (
        "这座港口小城靠盐和木材富裕起来,商人们仔细记录每一艘驶过防波堤的船只。一个多雨的秋天之后,河流改了道,"
        "他们争论了好几个月:谁应当为新的航道出钱,旧的航道究竟还能不能保住,渔民的码头又该搬到哪里去。"
    ),
}
_LENGTHS: Final = (16, 64, 512)
_CLIENTS: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class Sample:
    """One text, asked again and again for some seconds. Times are in milliseconds; ``cpu_ms`` is a request's."""

    text: str
    tokens: int
    clients: int
    decision: str
    signals: str
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    foreign: float


async def measure(engine: Engine, text: str, name: str, tokens: int, clients: int, seconds: float) -> Sample:
    """Route ``text`` for some seconds."""
    request = Request("chat", "MoM", (Message("user", text),), text)
    routed = await engine.route(request)
    took: list[float] = []
    foreign, cpu, until = ForeignLoad(), process_time(), perf_counter() + seconds

    async def client() -> None:
        while (began := perf_counter()) < until:
            await engine.route(request)
            took.append(perf_counter() - began)

    await asyncio.gather(*(client() for _ in range(clients)))
    cpu = process_time() - cpu
    percentiles = quantiles(took, n=100, method="inclusive")
    return Sample(
        name,
        tokens,
        clients,
        routed.decision.name if routed.decision else "",
        ", ".join(routed.signals),
        p50_ms=1000 * percentiles[49],
        p99_ms=1000 * percentiles[98],
        cpu_ms=1000 * cpu / len(took),
        foreign=foreign.lap(),
    )


def texts() -> list[tuple[str, str, int]]:
    """Give each text with its name and its exact number of tokens."""
    tokenizer = Tokenizer(SHIPPED / TOKENIZER)
    found = [(prompt, f"“{prompt}”", len(tokenizer.tokenize(prompt))) for prompt in _PROMPTS]
    for language in _LONG:
        found += [(prose(tokenizer, length, language), language, length) for length in _LENGTHS]
    return found


def prose(tokenizer: Tokenizer, tokens: int, language: str = "English") -> str:
    """Cut a text of exactly this many tokens."""
    paragraph = _LONG[language]
    whole = paragraph * (tokens // len(tokenizer.tokenize(paragraph)) + 1)
    return whole[: tokenizer.tokenize(whole).offsets[tokens - 1][1]]


async def run(rounds: int, seconds: float) -> list[Sample]:
    """Measure every text with every number of clients, ``rounds`` times in turns."""
    config = load(embedded("demo"), os.environ).config
    encoder = OnnxEncoder.load(SHIPPED, config.encoder)  # without the memo of texts read before
    engine = build_engine(config, os.environ, encoder=encoder)
    samples: list[Sample] = []
    for number in range(1, rounds + 1):
        for text, name, tokens in texts():
            samples += [await measure(engine, text, name, tokens, clients, seconds) for clients in _CLIENTS]
        print(f"round {number}/{rounds}", file=sys.stderr)
    encoder.close()
    return samples


def _table(samples: Sequence[Sample]) -> str:
    header = ["Text", "tokens", "decision", "measured"]
    header += (f"{what} ms, {count} client{'s' * (count > 1)}" for count in _CLIENTS for what in ("p50", "p99"))
    cells = dict.fromkeys((one.text, one.tokens) for one in samples)
    return table(
        (*header, "CPU ms"), (_row([one for one in samples if (one.text, one.tokens) == cell]) for cell in cells)
    )


def _row(samples: Sequence[Sample]) -> list[str]:
    first = samples[0]
    row = [first.text, str(first.tokens), first.decision, first.signals]
    for clients in _CLIENTS:
        of_clients = [one for one in samples if one.clients == clients]
        row.append(spread([one.p50_ms for one in of_clients], 2))
        row.append(spread([one.p99_ms for one in of_clients], 1))
    return [*row, spread([one.cpu_ms for one in samples if one.clients == 1], 2)]


def main() -> None:
    options = arguments(__doc__, seconds=1.0).parse_args()
    tune_process()
    samples = uvloop.run(run(options.rounds, options.seconds))
    how = (
        "`engine.route` on the embedded demo configuration, without network and without the memo of texts read before. "
        "CPU is that of the whole process, a request, with one client. A keyword that settles the matter "
        f"spares the encoder; beyond {WINDOW} tokens a text is read in overlapping windows."
    )
    publish("route_latency", how, [_table(samples)], samples, options)


if __name__ == "__main__":
    main()
