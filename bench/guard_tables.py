"""The tables of ``guards.py``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jailbreak_scan import Alarms
from pii_finders import Found
from report import spread, table

from waypost.config.guarding import IDENTIFYING
from waypost.guard.pii.types import PII_TYPES
from waypost.learn.metrics import span_figures

__all__ = [
    "PERSONAL",
    "PRESIDIO",
    "RECOGNISERS",
    "VIEWS",
    "WAYPOST",
    "Sample",
    "attacks",
    "blamed",
    "costs",
    "false_alarms",
    "quality",
    "scan_costs",
]

WAYPOST: Final = "waypost"
RECOGNISERS: Final = "its recognisers alone"
PRESIDIO: Final = "Presidio"
PERSONAL: Final = "personal data"
VIEWS: Final = ("as it stands", "with its views")

_SURE: Final = 0.5
"""What many ask of Presidio's scores; as it comes it asks nothing."""
_SHOWN: Final = 25
"""Rows of a kind that has a line of its own."""

Spans = Sequence[Sequence[Found]]
"""What was found in each text."""
Answers = Mapping[str, Mapping[str, Spans]]
"""The same by system and sort of text."""
Truth = Sequence[set[tuple[int, int, str]]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One system on one sort of text, once; CPU milliseconds per KB of UTF-8."""

    system: str
    texts: str
    ms_per_kb: float
    foreign: float


def costs(systems: Sequence[str], sorts: Sequence[str], samples: Sequence[Sample]) -> str:
    rows = ((name, *(_cost(samples, name, sort) for sort in sorts)) for name in systems)
    return table(("Personal data: CPU ms per KB", *sorts), rows)


def false_alarms(answers: Answers, sorts: Sequence[str]) -> str:
    rows = []
    for name, found in _variants(answers):
        for what, counts in ((name, bool), (f"{name}, identifying types", _identifies)):
            rows.append((what, *(_percent(map(counts, found[sort])) for sort in sorts)))
    sizes = (f"{sort} ({len(answers[WAYPOST][sort])})" for sort in sorts)
    return table(("Plain texts with any span, %", *sizes), rows)


def blamed(answers: Answers, sorts: Sequence[str]) -> str:
    counts = {
        name: Counter(kind for sort in sorts for of in found[sort] for kind in {one.types[0] for one in of})
        for name, found in answers.items()
    }
    kinds = sorted({kind for count in counts.values() for kind in count})
    rows = ((kind, *(str(count[kind]) for count in counts.values())) for kind in kinds)
    return table(("Plain texts in which a type is seen", *counts), rows)


def quality(answers: Answers, texts: Sequence[str], truth: Truth) -> str:
    named = {
        name: [[one.as_one_of(spans) for one in of] for of, spans in zip(found[PERSONAL], truth, strict=True)]
        for name, found in _variants(answers)
    }
    labelled = Counter(kind for spans in truth for _, _, kind in spans)

    def figures(kept: Callable[[str], bool]) -> list[dict[str, Any]]:
        own = [row for row, text in enumerate(texts) if kept(text)]
        right = [[*truth[row]] for row in own]
        return [span_figures(right, [[o for o in of[row] if o[2] in labelled] for row in own]) for of in named.values()]

    whole, latin, han = figures(lambda _: True), figures(lambda text: not _is_han(text)), figures(_is_han)
    rows = [("all", str(labelled.total()), *map(_f1, whole))]
    for what, of, kept in (("all, without Chinese", latin, False), ("all, with Chinese", han, True)):
        spans = sum(len(spans) for spans, text in zip(truth, texts, strict=True) if _is_han(text) is kept)
        rows.append((what, str(spans), *map(_f1, of)))
    for kind, count in labelled.most_common():
        rows.append((kind, str(count), *(_f1(of["per_type"].get(kind, {})) for of in whole)))
    return table(("Strict F1", "spans", *named), rows)


def scan_costs(
    texts: Mapping[str, Sequence[str]], passes: Mapping[str, Sequence[float]], samples: Sequence[Sample]
) -> str:
    rows = []
    for sort, of in texts.items():
        size = sum(len(text.encode()) for text in of) / len(of) / 1024
        found = (_cost(samples, view, sort) for view in VIEWS)
        rows.append((sort, f"{size:.1f}", *found, *(f"{count:.1f}" for count in passes[sort])))
    columns = ("KB", *(f"{view}, CPU ms per KB" for view in VIEWS), "passes over the text", "over its views")
    return table(("Jailbreak: texts of 4,096 characters", *columns), rows)


def attacks(alarms: Sequence[Alarms]) -> str:
    real = [one for one in alarms if one.attack]
    benign = [one for one in alarms if not one.attack]
    rows = [_sum("benign", benign), *(one for one in benign if one.rows >= _SHOWN)]
    if rest := [one for one in benign if one.rows < _SHOWN]:
        rows.append(_sum("benign, other kinds", rest))
    shares = ((one.kind, str(one.rows), _share(one.message, one), _share(one.scan, one)) for one in (*rows, *real))
    return table(("Jailbreak: rows over the threshold, %", "rows", *VIEWS), shares)


def _cost(samples: Sequence[Sample], system: str, sort: str) -> str:
    return spread([one.ms_per_kb for one in samples if (one.system, one.texts) == (system, sort)], 1)


def _variants(answers: Answers) -> Iterator[tuple[str, Mapping[str, Spans]]]:
    """Yield each system's answers, and those of Presidio that it is surer of."""
    for name, found in answers.items():
        yield name, found
        if name == PRESIDIO:
            sure = {sort: [[one for one in of if one.score >= _SURE] for of in spans] for sort, spans in found.items()}
            yield f"{name}, scores from {_SURE}", sure


def _identifies(found: Sequence[Found]) -> bool:
    """Whether a guard looks at any by default; types that only Presidio has are numbers of people."""
    return any(one.types[0] in IDENTIFYING or one.types[0] not in PII_TYPES for one in found)


def _is_han(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def _percent(flags: Iterable[bool]) -> str:
    kept = [*flags]
    return f"{100 * sum(kept) / len(kept):.1f}" if kept else "–"


def _f1(figures: Mapping[str, Any]) -> str:
    return f"{figures.get('f1') or 0:.3f}"


def _share(count: int, of: Alarms) -> str:
    return f"{100 * count / of.rows:.1f}" if of.rows else "–"


def _sum(name: str, of: Sequence[Alarms]) -> Alarms:
    return Alarms(name, False, sum(o.rows for o in of), sum(o.message for o in of), sum(o.scan for o in of))
