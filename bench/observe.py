"""What metrics, traces, log lines and records cost a request: the observer alone, and nothing, in turns.

One process, no network but the one to a collector that throws all away. The first figure is CPU time of the thread of
the event loop, at the beginning and the end of a request; the second is that of the process, with its other threads.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent import futures
from contextlib import ExitStack, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time, thread_time, time
from typing import Any, Final

import grpc
from processes import ForeignLoad
from report import arguments, publish, spread, table

from waypost.config.find import embedded
from waypost.config.load import load
from waypost.config.observing import Logs, Observability, Records, Tracing
from waypost.observe import log
from waypost.observe.metrics import Metrics
from waypost.observe.telemetry import RequestObserver, Telemetry
from waypost.signals.names import DOMAINS
from waypost.types import Decision, Record, RequestHead, Selection, SignalResult, Trace, Usage

_HEAD: Final = RequestHead("POST", "/v1/chat/completions", {"x-request-id": "b4e7c0de-0000-4000-8000-000000000000"})
_PAUSE: Final = 200
"""Requests between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One way to observe, for some seconds. Times are in microseconds a request."""

    system: str
    loop_us: float
    process_us: float
    lost: float
    """Share of the requests that the queue could not hold: a loop without pauses outruns any thread."""
    foreign: float


def measure(system: str, observe: Callable[[], object], lost: Callable[[], float], seconds: float) -> Sample:
    foreign, before, began, cpu = ForeignLoad(), lost(), perf_counter(), process_time()
    requests, in_loop = 0, 0.0
    while perf_counter() - began < seconds:
        started = thread_time()
        for _ in range(_PAUSE):
            observe()
        in_loop += thread_time() - started
        requests += _PAUSE
    return Sample(
        system,
        1e6 * in_loop / requests,
        1e6 * (process_time() - cpu) / requests,
        (lost() - before) / requests,
        foreign.lap(),
    )


def request(observer: RequestObserver) -> None:
    """One request from its head to its end, as the engine tells it."""
    observer.observe(_record(observer.begin(_HEAD)))


def _record(trace: Trace | None) -> Record:
    return Record(
        path=_HEAD.path,
        requested_model="MoM",
        status=200,
        decision=Decision("math", ("domain is math (0.94 ≥ 0.50)",), 0.94),
        selection=Selection("demo-math", 0.9, "best score of 3 models", reasoning=True),
        signals={
            "keyword": SignalResult("keyword"),
            "domain": SignalResult("domain", frozenset({"math"}), dict.fromkeys(DOMAINS, 0.0625), 0.5),
        },
        signal_seconds={"keyword": 0.00002, "domain": 0.006},
        decide_seconds=0.0001,
        router_seconds=0.0063,
        total_seconds=1.2,
        first_token_seconds=0.2,
        usage=Usage(250, 100),
        request_id=_HEAD.headers["x-request-id"],
        trace=trace,
        method="POST",
        began=time(),
        stream=True,
    )


def nothing() -> Record:
    """What is there to observe costs something by itself."""
    return _record(None)


def _collector(stack: ExitStack) -> str:
    """An OTLP receiver that throws away what it gets, in a process of its own."""
    server_end, client_end = os.pipe()
    child = os.fork()
    if not child:
        server = grpc.server(futures.ThreadPoolExecutor(1))
        accept = grpc.unary_unary_rpc_method_handler(lambda _, __: b"")
        name = "opentelemetry.proto.collector.trace.v1.TraceService"
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": accept}),))
        os.write(client_end, str(server.add_insecure_port("127.0.0.1:0")).encode())
        server.start()
        server.wait_for_termination()
    stack.callback(os.waitpid, child, 0)
    stack.callback(os.kill, child, 15)
    return f"http://127.0.0.1:{os.read(server_end, 9).decode()}"


def _systems(stack: ExitStack, collector: str) -> dict[str, tuple[Callable[[], object], Callable[[], float]]]:
    directory = stack.enter_context(tempfile.TemporaryDirectory())
    loaded = load(embedded("demo"), os.environ)
    settings: dict[str, dict[str, Any]] = {
        "metrics": {},
        "metrics, traces of 10 %": {"tracing": Tracing(endpoint=collector, sample=0.1)},
        "metrics, traces of all": {"tracing": Tracing(endpoint=collector)},
        "metrics, records": {"records": Records(path=str(Path(directory) / "records.jsonl"))},
        "metrics, log lines of all": {"logs": Logs(format="json", requests="all")},
    }
    found: dict[str, tuple[Callable[[], object], Callable[[], float]]] = {"nothing": (nothing, lambda: 0.0)}
    for name, chosen in settings.items():
        observability = Observability(**chosen)
        config = loaded.config.model_copy(update={"observability": observability})
        telemetry = Telemetry(Metrics(), observability)
        stack.callback(telemetry.close, 5.0)
        observer = telemetry.observer(config, loaded.digest)
        telemetry.know(observer)
        found[name] = (lambda observer=observer: request(observer), lambda made=telemetry: _lost(made))
    return found


def _lost(telemetry: Telemetry) -> float:
    family = telemetry.metrics.observer_lost.collect()
    return sum(sample.value for metric in family for sample in metric.samples)


def _row(name: str, samples: list[Sample]) -> tuple[str, ...]:
    of = [sample for sample in samples if sample.system == name]
    return (
        name,
        spread([sample.loop_us for sample in of], 1),
        spread([sample.process_us for sample in of], 1),
        spread([100 * sample.lost for sample in of], 1),
    )


def main(options: argparse.Namespace) -> None:
    with ExitStack() as stack:
        with redirect_stderr(stack.enter_context(Path(os.devnull).open("w"))):
            log.configure(Logs(format="json"))
        systems = _systems(stack, _collector(stack))
        for observe, _ in systems.values():  # first imports and first series are nobody's request
            observe()
        samples = [
            measure(name, observe, lost, options.seconds)
            for _ in range(options.rounds)
            for name, (observe, lost) in systems.items()
        ]
    header = ("observed by", "event loop, µs CPU a request", "process, µs CPU a request", "lost, %")
    rows = table(header, (_row(name, samples) for name in systems))
    publish(
        "observe",
        "Requests one after the other without a pause; making the record is in every row.",
        [rows],
        samples,
        options,
    )


if __name__ == "__main__":
    sys.exit(main(arguments(__doc__, seconds=2.0).parse_args()))
