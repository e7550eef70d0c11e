"""What finds personal data, each behind the same two questions: what stands in these texts, and what does a KB cost."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from waypost.guard.pii.find import find
from waypost.inference.encoder import Encoder

__all__ = ["Finder", "Found", "Presidio", "Waypost", "milliseconds_per_kb", "presidio"]

_SCRIPT: Final = Path(__file__).with_name("presidio.py")
_MEANS: Final = {
    "LOCATION": ("GPE", "STREET_ADDRESS", "ZIP_CODE"),
    "DATE_TIME": ("DATE_TIME", "AGE"),
    "URL": ("DOMAIN_NAME",),
    "CRYPTO": ("CRYPTO_WALLET",),
    "US_PASSPORT": ("PASSPORT",),
}
"""What Presidio's names may stand for here, where its meaning is wider or its name another."""


class Found(NamedTuple):
    """A span, and the types that it may be taken for; the first one unless another is what really stands there."""

    start: int
    end: int
    types: tuple[str, ...]
    score: float

    def as_one_of(self, truth: set[tuple[int, int, str]]) -> tuple[int, int, str]:
        """Return the reading of the span that is right, if any is."""
        readings = [(self.start, self.end, kind) for kind in self.types]
        return next((one for one in readings if one in truth), readings[0])


class Finder(Protocol):
    """Finds personal data."""

    def find(self, texts: Sequence[str]) -> list[list[Found]]: ...

    def cost(self, texts: Sequence[str], seconds: float) -> float:
        """Read ``texts`` again and again; CPU time of its process in ms per KB of UTF-8."""
        ...


class Waypost:
    """The guard's search: recognisers, and the classifier where there is an encoder."""

    def __init__(self, runner: asyncio.Runner, encoder: Encoder | None, thresholds: Mapping[str, float]) -> None:
        self._loop = runner.get_loop()
        self._encoder = encoder
        self._thresholds = thresholds
        head = encoder.manifest.head("pii") if encoder else None
        self._threshold = head.threshold if head else 0.5

    def find(self, texts: Sequence[str]) -> list[list[Found]]:
        return [self._search(text) for text in texts]

    def cost(self, texts: Sequence[str], seconds: float) -> float:
        return milliseconds_per_kb(self._search, texts, seconds)

    def _search(self, text: str) -> list[Found]:
        spans = self._loop.run_until_complete(self._encoder.encode(text)).spans if self._encoder else ()
        found = find(text, spans, self._threshold, self._thresholds)
        return [Found(one.start, one.end, (one.type,), one.score) for one in found]


class Presidio:
    """Presidio in a process of its own. Where its findings overlap, what lies inside another one is left out."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.versions: dict[str, str] = self._answer()

    def find(self, texts: Sequence[str]) -> list[list[Found]]:
        return [[*_outermost(found)] for found in self._ask(texts=texts)]

    def cost(self, texts: Sequence[str], seconds: float) -> float:
        return float(self._ask(texts=texts, seconds=seconds))

    def _ask(self, **question: object) -> Any:  # noqa: ANN401 - JSON
        assert self._process.stdin
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:  # noqa: ANN401 - JSON
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"presidio's process ended with {self._process.wait()}; what it said is above")
        return json.loads(line)


@contextmanager
def presidio(python: Path | None) -> Iterator[Presidio | None]:
    """Start Presidio on one core; None, and a word on stderr, where no Python with it is named."""
    if python is None or not python.exists():
        print("presidio is not compared: name a Python that has it with --presidio-python", file=sys.stderr)
        yield None
        return
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen([python, _SCRIPT], stdin=pipe, stdout=pipe, text=True, env=environ) as process:
        yield Presidio(process)


def milliseconds_per_kb(read: Callable[[str], object], texts: Sequence[str], seconds: float) -> float:
    """Call ``read`` with one text after the other for some seconds; CPU time of this process per KB of UTF-8."""
    size, end, cpu = 0, time.perf_counter() + seconds, time.process_time()
    while not size or time.perf_counter() < end:
        for text in texts:
            read(text)
            size += len(text.encode())
            if time.perf_counter() >= end:
                break
    return 1000 * (time.process_time() - cpu) / (size / 1024)


def _outermost(found: Iterable[tuple[int, int, str, float]]) -> Iterator[Found]:
    """Yield what lies in no other finding; of several with the same borders the surest."""
    last = -1
    for start, end, name, score in sorted(found, key=lambda one: (one[0], -one[1], -one[3])):
        if end > last:
            last = end
            yield Found(start, end, _MEANS.get(name, (name,)), score)
