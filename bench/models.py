"""How good what ships is, on the development rows: reports and the model card in docs/models.

``bench/models.py --data DIR --training training.json --folds folds.json``: the last two are what training and
:mod:`waypost.learn.folds` wrote. Scores come from the code that serves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from waypost.config import schema
from waypost.inference.manifest import SHIPPED, Manifest
from waypost.learn.evaluate import TASKS
from waypost.learn.report import write_report
from waypost.learn.served import Served, open_encoder

_MODELS: Final = Path(__file__).parents[1] / "docs" / "models"
_FILES: Final = {"domain": "domain_dev", "jailbreak": "jailbreak_dev", "pii": "pii_dev"}
_TITLES: Final = {"domain": "Domain", "jailbreak": "Jailbreaks and injections", "pii": "Personal data"}
_SHOWN: Final = {
    "domain": ("n", "accuracy", "macro_f1", "threshold", "matched", "accuracy_of_matched", "calibration_error"),
    "jailbreak": ("n", "recall", "false_positive_rate", "auc", "precision", "f1", "threshold", "harmful_flagged"),
    "pii": ("n", "f1", "precision", "recall", "false_span_rate"),
}
_GROUPS: Final = {
    "domain": ("per_class",),
    "jailbreak": ("recall_per_kind", "recall_per_language", "false_positives_per_kind"),
    "pii": ("per_type",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--training", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    options = parser.parse_args()
    training = json.loads(options.training.read_text())
    with open_encoder(schema.Encoder()) as encoder:
        served = Served(encoder, schema.Classifiers(), schema.Encoder())
        found = {}
        for task, name in _FILES.items():
            evaluation = asyncio.run(TASKS[task](served, options.data / f"{name}.jsonl.gz", _say))
            write_report(_MODELS / task, f"{_TITLES[task]}, {name}", evaluation, training=training)
            found[task] = evaluation.figures
    card = "\n".join(_card(Manifest.read(SHIPPED), training, found, json.loads(options.folds.read_text())))
    (_MODELS / "MODEL_CARD.md").write_text(card + "\n", encoding="utf-8")
    print(f"wrote {_MODELS}")


def _card(manifest: Manifest, training: dict[str, Any], found: Mapping[str, Any], folds: list[Any]) -> Iterator[str]:
    yield "# The model that ships\n"
    yield (
        "multilingual-e5-small (MIT), its upper six layers adapted with LoRA (rank "
        f"{training['lora']['rank']}), with heads for the domain, attacks, whether an attack is indirect, and personal "
        f"data; int8, {manifest.bytes / 1e6:.1f} MB in all. One pass of some 120 tokens gives everything. The heads "
        "for attacks were fitted once more, with composed system prompts and answers (`waypost.learn.refit`); folds "
        "and learning curves are of the run before.\n"
    )
    yield (
        f"Written by `bench/models.py` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, from the code that "
        "serves. **These are development scores**: thresholds, the penalty of the domain head, the words' share and "
        "the epoch were chosen on these rows, so they flatter. Texts from elsewhere do worse; measure yours with "
        "`waypost evaluate`.\n"
    )
    for task, figures in found.items():
        yield f"## {_TITLES[task]}\n"
        yield f"[Report with charts]({task}/report.html). Rows of `{_FILES[task]}`.\n"
        yield from _table(("figure", "value"), [(_words(name), figures.get(name)) for name in _SHOWN[task]])
        for group in _GROUPS[task]:
            if figures.get(group):
                columns = list(next(iter(figures[group].values())))
                rows = [(name, *(row[column] for column in columns)) for name, row in figures[group].items()]
                yield from _table((_words(group), *map(_words, columns)), rows)
    yield "## Leave one source out\n"
    yield (
        "Does the detector know attacks, or the sentence frames of its sources? Each line is a model that was trained "
        "on half of the other sources' rows for one epoch, without anything of this source, at the threshold that "
        "stops 1 % of the harmless dev rows of the others (`python -m waypost.learn.folds`). Full precision, raw "
        "text only.\n"
    )
    yield from _table(
        ("source left out", "attacks", "found", "its own harmless rows", "of these stopped"),
        [(f["source"], f["attacks"], f["recall"], f["benign"], f["false_positives"]) for f in folds],
    )
    yield "## What it was made of\n"
    rows = training["data"]["rows"]
    digest = training["data"]["digest"][:16]
    yield f"{sum(rows.values())} rows, digest `{digest}`; sources and licences in [NOTICE](../../NOTICE).\n"
    yield from _table(("source", "rows"), sorted(rows.items(), key=lambda pair: -pair[1]))
    yield (
        f"{len(training['scores'])} epochs on one CPU core ({training['seconds'] / 60:.0f} minutes), then "
        "`waypost.learn.domain` (the domain head anew), `early` (heads for `profile: fast`), `export` and `finish` "
        "(words and thresholds).\n"
    )
    yield "## How near int8 comes to full precision\n"
    yield from _table(("figure", "value"), sorted(manifest.gate.items()))
    yield "## Limits\n"
    yield (
        "- A domain is always one of 14; what fits none is `other` or stays below the threshold.\n"
        "- An attack in words that nobody has used yet may pass. The detector learnt from requests; answers are read "
        "as if they were one.\n"
        "- Names, places and organisations are found by context; numbers and addresses with a form by rules.\n"
        "- Most of what it read is English and Chinese. Scripts other than Latin, Han, kana, Hangul and Cyrillic are "
        "cut into smaller pieces than in the base model."
    )


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"
    yield ""


def _cell(value: object) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
