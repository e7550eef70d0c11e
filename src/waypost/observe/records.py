"""Decision records: one JSON line a request in a file of bounded size, written by a thread, without any content.

Several processes may write one file.

Before the first record of a configuration stands a line that describes it, again in each new file, so that every file
can be replayed by itself. Model names that the pool does not have and paths that are not served are left out: a client
may have put anything there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from waypost import __version__
from waypost.config.observing import Records
from waypost.errors import SetupError
from waypost.observe.appended import AppendedFile
from waypost.observe.background import Background
from waypost.observe.definitions import Definitions
from waypost.observe.prices import Prices
from waypost.types import Recalled, Record, SignalResult, Verdict

__all__ = ["FORMAT", "Described", "RecordFile", "record_line"]

FORMAT: Final = 1
"""Of a line; a reader refuses what it does not know."""
_PATHS: Final = ("/v1/chat/completions", "/v1/completions")
_DIGITS: Final = 6
_LONGEST_ID: Final = 128
"""Characters; a client may send an id of 60,000, and a file of records holds so many requests the fewer."""
_LINE_BREAKS: Final = str.maketrans({character: f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"})
"""JSON lets them stand as they are, and many readers of lines take them for the end of one."""


@dataclass(frozen=True)
class Described:
    """The configuration that requests were served under, as far as their records need it."""

    digest: str
    definitions: Definitions
    prices: Prices
    models: frozenset[str]
    """Names that a client may send."""


class RecordFile:
    """Appends to a file, and starts a new one when it is full. Raises SetupError when it cannot be written."""

    def __init__(self, settings: Records, lost: Callable[[int], object]) -> None:
        self.settings = settings
        self._path = Path(settings.path).expanduser()
        self._described = ("", 0)
        try:
            self._file = AppendedFile(self._path, files=settings.files)
        except OSError as error:
            why = error.strerror or str(error)
            raise SetupError(f"observability.records.path: cannot write {self._path}: {why}") from None
        self._background = Background("records", self._write, size=settings.queue, lost=lost)

    def offer(self, record: Record, described: Described) -> None:
        """Queue one record. Never blocks."""
        self._background.offer((record, described))

    def close(self, seconds: float) -> None:
        """Write what waits, for at most that long."""
        self._background.close(seconds)
        self._file.close()

    def _write(self, batch: list[tuple[Record, Described]]) -> None:
        with self._file.turn():
            for record, described in batch:
                if self._file.size >= self.settings.max_size:
                    self._file.rotate()
                if self._described != (described.digest, self._file.generation):
                    self._line(_config_line(described))
                    self._described = (described.digest, self._file.generation)
                self._line(record_line(record, described))

    def _line(self, value: Mapping[str, object]) -> None:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_LINE_BREAKS)
        encoded = text.encode("utf-8", "backslashreplace")  # makes JSON's escape of a lone surrogate
        self._file.append(encoded + b"\n")


def _config_line(described: Described) -> dict[str, object]:
    definitions = asdict(described.definitions)
    return {"v": FORMAT, "config": described.digest, "waypost": __version__, "definitions": definitions}


def record_line(record: Record, described: Described) -> dict[str, Any]:
    """Lay a record out for JSON; keys with nothing to tell are left out."""
    decision, selection, usage = record.decision, record.selection, record.usage
    cost = described.prices.cost(selection.model, usage) if selection and usage else None
    line = {
        "v": FORMAT,
        "of": described.digest,
        "time": round(record.began, 3),
        "id": record.request_id[:_LONGEST_ID],
        "trace": record.trace.trace_id if record.trace else "",
        "path": record.path if record.path in _PATHS else "",
        "requested": record.requested_model if record.requested_model in described.models else "",
        "status": record.status,
        "error": record.error,
        "aborted": record.aborted,
        "decision": decision.name if decision else None,
        "confidence": round(decision.confidence, _DIGITS) if decision else None,
        "model": selection.model if selection else None,
        "selection": selection.reason if selection else "",
        "signals": {kind: _signal(result) for kind, result in record.signals.items()},
        "guards": [_verdict(verdict) for verdict in record.verdicts],
        "cache": _cache(record.recalled),
        "tools": asdict(record.tools) if record.tools else None,
        "tokens": [usage.prompt_tokens, usage.completion_tokens] if usage else None,
        "cost": [cost.currency, round(cost.amount, 9)] if cost else None,
        "seconds": _seconds(record),
    }
    return {key: value for key, value in line.items() if value not in (None, "", [], {}, False) or key == "decision"}


def _signal(result: SignalResult) -> dict[str, object]:
    found = {
        "matched": sorted(result.matched),
        "scores": {name: _shortened(score) for name, score in result.scores.items()},
        "threshold": result.threshold,
        "unknown": result.unknown,
        "unknown_names": sorted(result.unknown_names),
        "skipped_tokens": result.skipped_tokens,
    }
    return {key: value for key, value in found.items() if value not in (None, "", [], {}, 0) or key == "threshold"}


def _shortened(score: float) -> float:
    """Cut a score; rounded up, it might reach a threshold in a replay that it did not reach."""
    rounded = round(score, _DIGITS)
    return rounded if rounded <= score else round(rounded - 10**-_DIGITS, _DIGITS)


def _verdict(verdict: Verdict) -> dict[str, object]:
    found = {name: _shortened(score) for name, score in verdict.found.items()}
    return {"guard": verdict.guard, "action": verdict.action, "found": found, "error": verdict.error} | (
        {"in_answer": True} if verdict.in_answer else {}
    )


def _cache(recalled: Recalled | None) -> dict[str, object] | None:
    if recalled is None:
        return None
    found: dict[str, object] = {"hit": recalled.hit, "reason": recalled.reason}
    return found if recalled.similarity is None else found | {"similarity": round(recalled.similarity, _DIGITS)}


def _seconds(record: Record) -> dict[str, object]:
    found: dict[str, object] = {
        "signals": {kind: round(seconds, _DIGITS) for kind, seconds in record.signal_seconds.items()},
        **{name: round(step.seconds, _DIGITS) for name, step in record.steps.items()},
        "router": round(record.router_seconds, _DIGITS),
        "first_token": None if record.first_token_seconds is None else round(record.first_token_seconds, _DIGITS),
        "total": round(record.total_seconds, _DIGITS),
    }
    return {key: value for key, value in found.items() if value not in (None, {})}
