"""``python -m waypost.learn.public NAME --out FILE``."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from waypost.errors import DataError
from waypost.learn.command import reporting, say
from waypost.learn.public.reading import rows_of_copy, rows_of_set
from waypost.learn.public.sets import SETS, PublicSet

__all__ = ["main"]


@reporting(say)
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    source: PublicSet = SETS[options.name]
    say(f"{options.name}: {source.repository}, licence: {source.licence}" + (f"; {source.note}" if source.note else ""))
    split = _split(source, options.split)
    rows = rows_of_copy(source, split, options.copy) if options.copy else rows_of_set(source, split)
    count = _write(options.out, islice(_converted(options.name, source, rows), options.limit))
    say(f"wrote {options.out}: {count} rows, for waypost train --extra")


def _parser() -> argparse.ArgumentParser:
    names = "\n".join(f"  {name:<25} {source.licence}" for name, source in SETS.items())
    parser = argparse.ArgumentParser(
        prog="python -m waypost.learn.public",
        description="Turn a public set into rows for waypost train --extra.",
        epilog=f"sets and their licences:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=tuple(SETS), metavar="NAME", help="one of those below")
    parser.add_argument("--out", type=Path, required=True, help="a .jsonl or .jsonl.gz")
    parser.add_argument("--split", help="default: the first that may be trained on; never a test split")
    parser.add_argument("--limit", type=int, help="rows at most")
    parser.add_argument("--copy", type=Path, help="read this copy, and ask no hub: CONFIG/SPLIT/*.parquet, or the JSON")
    return parser


def _split(source: PublicSet, wanted: str | None) -> str:
    if wanted is None or wanted in source.splits:
        return wanted or source.splits[0]
    if "test" in wanted:
        raise DataError("a test split is there to be measured on; trained on, it measures nothing any more")
    raise DataError(f"the splits that may be trained on are: {', '.join(source.splits)}")


def _converted(name: str, source: PublicSet, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Our rows, each text once."""
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        try:
            found = source.convert(row)
        except (KeyError, TypeError) as error:
            raise DataError(f"{name}, row {number}: not in the form that waypost knows: {error!r}") from error
        if found and found["text"].strip() and found["text"] not in seen:
            seen.add(found["text"])
            yield {**found, "source": name}


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    opener = gzip.open if path.suffix == ".gz" else open
    count = 0
    with opener(path, "wt", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


if __name__ == "__main__":
    sys.exit(main())
