"""A threshold for each type of personal data: the best F1 within a budget of false alarms on plain texts.

``python -m waypost.learn.pii_thresholds --data DIR`` chooses them for the encoder as it is served, shows what they do
on rows that they were not chosen on, and writes them as JSON, ``{type: threshold}``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from waypost.config import schema
from waypost.guard.pii.find import find
from waypost.inference.encoder import Encoder
from waypost.learn.bio import Span
from waypost.learn.examples import read_rows
from waypost.learn.judged import BASE, GRID, Found, Judged
from waypost.learn.plain import plain_texts
from waypost.learn.served import open_encoder

__all__ = ["choose_thresholds", "read_judged"]

_ENOUGH: Final = 40
"""True spans of a type that a threshold of its own needs."""
_INERTIA: Final = 0.05
"""F1 that a threshold must win for each unit that it moves away from the base."""
_TINY: Final = 1e-4
"""Of F1; what costs less is free."""


def choose_thresholds(judged: Judged, budget: float) -> dict[str, float]:
    """Start where each type's F1 is best, then raise what frees most plain texts for the least F1.

    Stops when at most the share ``budget`` of the plain texts has a finding, or when nothing more can be done.
    """
    kinds = (kind for kind in judged.types if judged.wanted(kind) >= _ENOUGH)
    chosen = {kind: _best(judged, kind) for kind in kinds}
    while judged.share(chosen) > budget and (step := _step(judged, chosen)):
        chosen |= step
    return chosen


def _best(judged: Judged, kind: str) -> float:
    """Return the threshold with the best F1 of one type, unless the base is about as good."""
    return max(GRID, key=lambda limit: judged.f1({kind: limit}, (kind,)) - _INERTIA * abs(limit - BASE))


def _step(judged: Judged, chosen: Mapping[str, float]) -> dict[str, float] | None:
    """Return the type to raise and how far; None when raising frees nothing."""
    blame, f1 = _blame(judged.alarms(chosen)), judged.f1(chosen)
    rated = []
    for kind, limit in ((kind, limit) for kind in blame if kind in chosen for limit in GRID if limit > chosen[kind]):
        raised = {**chosen, kind: limit}
        freed = blame[kind] - _blame(judged.alarms(raised)).get(kind, 0.0)
        if freed > 0:
            rated.append((freed / (max(0.0, f1 - judged.f1(raised)) + _TINY), -limit, kind))
    return {max(rated)[2]: -max(rated)[1]} if rated else None


def _blame(alarms: Iterable[set[str]]) -> dict[str, float]:
    """Share every text among the types that are found in it: it is free only when all of them are gone."""
    shares: dict[str, float] = {}
    for kinds in alarms:
        for kind in kinds:
            shares[kind] = shares.get(kind, 0.0) + 1 / len(kinds)
    return shares


async def read_judged(encoder: Encoder, data: Path) -> Judged:
    """Find everything in the development rows and in plain texts. Raises SetupError when a file is missing."""
    rows = [*read_rows(data / "pii_dev.jsonl.gz")]
    truth = [{(start, end, kind) for start, end, kind in row["spans"]} for row in rows]
    plain = [text for texts in plain_texts(data).values() for text in texts]
    personal = await _findings(encoder, [row["text"] for row in rows], truth)
    return Judged(personal, await _findings(encoder, plain, [set() for _ in plain]), truth, len(plain))


async def _findings(encoder: Encoder, texts: Sequence[str], truth: Sequence[set[Span]]) -> list[Found]:
    found: list[Found] = []
    for row, (text, true) in enumerate(zip(texts, truth, strict=True)):
        findings = find(text, (await encoder.encode(text)).spans, GRID[0])
        found += (Found(row, one.type, one.score, (one.start, one.end, one.type) in true) for one in findings)
    return found


def _table(judged: Judged, chosen: Mapping[str, float]) -> str:
    """Lay out, for every type, its F1 and the plain texts with it, at the base and at what was chosen."""
    lines = [f"{'':20} spans  threshold   F1 {BASE:.2f} → chosen   plain texts {BASE:.2f} → chosen"]
    for kind in judged.types:
        f1 = [judged.f1(limits, (kind,)) for limits in ({}, chosen)]
        plain = [sum(kind in kinds for kinds in judged.alarms(limits)) for limits in ({}, chosen)]
        limit = chosen.get(kind, BASE)
        lines.append(
            f"{kind:20} {judged.wanted(kind):5} {limit:10.2f} {f1[0]:9.3f} → {f1[1]:.3f} {plain[0]:14} → {plain[1]}"
        )
    return "\n".join((*lines, _summary("all", judged, {}), _summary("all, chosen", judged, chosen)))


def _summary(name: str, judged: Judged, limits: Mapping[str, float]) -> str:
    return f"{name}: F1 {judged.f1(limits):.4f}, plain texts with a finding {judged.share(limits):.2%}"


async def _main(options: argparse.Namespace) -> None:
    with open_encoder(schema.Encoder()) as encoder:
        judged = await read_judged(encoder, options.data)
    chosen = choose_thresholds(judged, options.share)
    lines = [_table(judged, chosen)]
    for odd in (False, True):
        limits = choose_thresholds(judged.half(odd), options.share)
        lines.append(_summary("chosen on the other half of the rows", judged.half(not odd), limits))
    sys.stdout.write("\n".join(lines) + "\n")
    if options.out:
        options.out.write_text(json.dumps(chosen, indent=1, sort_keys=True) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--share", type=float, default=0.02, help="of plain texts that may have a finding (%(default)s)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the thresholds as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(_main(_options()))
