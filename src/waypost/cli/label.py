"""``waypost label``."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from waypost.cli.evaluate import ConfigOption, ModelOption

if TYPE_CHECKING:
    from waypost.learn.queue import Item, LabelFile

__all__ = ["label"]

_SHOWN: Final = 1200
"""Characters of a text that are shown."""
_NUMBERED: Final = 9


class _Move(Enum):
    """What is answered instead of a label."""

    SKIP = "s"
    QUIT = "q"


def label(
    data: Annotated[Path, typer.Option("--data", "-d", help="Requests: rows with text, JSONL or CSV.")],
    out: Annotated[Path, typer.Option("--out", "-o", dir_okay=False, help="CSV of text,label; it grows.")],
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="One of your own classes; may be given many times.")
    ] = None,
    config: ConfigOption = None,
    model: ModelOption = None,
) -> None:
    """Label requests, those that the classifier is least sure of first.

    Every label is on the disk before the next text is shown; start again and it goes on where you stopped.
    """
    from waypost.cli.figures import say
    from waypost.learn.queue import LabelFile

    with LabelFile(out) as labels:
        items = _queue(data, {text for text, _ in labels.rows}, config, model)
        say(f"{len(items)} texts, {len(labels.rows)} labelled before; Ctrl-D stops")
        done = _work(items, labels, classes or [])
    say(f"{done} labels more in {out}")


def _queue(data: Path, known: set[str], config: Path | None, model: Path | None) -> list[Item]:
    import asyncio

    from waypost.cli.evaluate import settings
    from waypost.cli.figures import say
    from waypost.learn.evaluate.answers import ask
    from waypost.learn.queue import order
    from waypost.learn.served import Served, open_encoder
    from waypost.learn.tables import read_table

    texts = [
        text for text in dict.fromkeys(row["text"] for row in read_table(data, {"text": str})) if text not in known
    ]
    encoding, classifiers = settings(config)
    with open_encoder(encoding) as encoder:
        signal = Served(encoder, classifiers, encoding, model).signal("domain")
        return order(texts, asyncio.run(ask(signal, [{"text": text} for text in texts], say)))


def _work(items: Sequence[Item], labels: LabelFile, classes: Sequence[str]) -> int:
    """Ask about one text after the other; returns how many were labelled."""
    done = 0
    for number, item in enumerate(items, 1):
        print(f"\n--- {number} of {len(items)}, margin {item.margin:.2f}\n{_printable(item.text)}\n")
        choice = _ask(_options(item, classes, labels.labels))
        if choice is _Move.QUIT:
            break
        if isinstance(choice, str):
            labels.append(item.text, choice)
            done += 1
    return done


def _options(item: Item, classes: Sequence[str], used: Sequence[str]) -> dict[str, float | None]:
    """Gather the labels to choose from, the likeliest first; those that are no guess of the classifier have None.

    Somebody who gives classes of their own is not shown the classifier's.
    """
    guesses = {name: chance for name, chance in item.guesses if not classes or name in classes or name in used}
    return guesses | {name: None for name in (*classes, *used) if name not in guesses}


def _ask(options: dict[str, float | None]) -> str | _Move:
    """Show the first options and ask until the answer is one."""
    numbered = list(options)[:_NUMBERED]
    for number, name in enumerate(numbered, 1):
        chance = options[name]
        print(f"  {number}  {_printable(name)}" + (f"  {chance:.2f}" if chance is not None else ""))
    while True:
        try:
            typed = input("Enter = 1, number, name, +new class, s skip, q quit > ").strip()
        except EOFError:
            return _Move.QUIT
        if (choice := _understand(typed, options, numbered)) is not None:
            return choice
        print("one of these, please")


def _understand(typed: str, options: dict[str, float | None], numbered: Sequence[str]) -> str | _Move | None:
    """Read an answer; None when it says nothing. Enter accepts a guess of the classifier only, never a bare class."""
    if typed in ("s", "q"):
        return _Move(typed)
    if not typed:
        return numbered[0] if numbered and options[numbered[0]] is not None else None
    if typed.startswith("+"):
        return typed[1:].strip() or None
    if typed.isdecimal():
        return numbered[int(typed) - 1] if 0 < int(typed) <= len(numbered) else None
    meant = [name for name in options if name.casefold().startswith(typed.casefold())]
    return typed if typed in options else meant[0] if len(meant) == 1 else None


def _printable(text: str) -> str:
    """Show what can be shown: a recorded prompt must not steer the terminal."""
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} … ({len(text) - _SHOWN:,} characters more)"
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in shown
    )
