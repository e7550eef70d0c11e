"""``waypost replay FILE``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from waypost.cli.options import ConfigOption, DemoOption, JsonOption

if TYPE_CHECKING:
    from waypost.observe.difference import Difference
    from waypost.observe.replay import Replayed

__all__ = ["replay"]


def replay(
    file: Annotated[Path, typer.Argument(help="Records, as observability.records writes them; - reads stdin.")],
    config: ConfigOption = None,
    demo: DemoOption = False,
    as_json: JsonOption = False,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect",
            metavar="FIGURE<=N",
            help="Such as 'model_changed<=5%'; may be repeated. Exit code 1 if not, or if no request could be told.",
        ),
    ] = None,
) -> None:
    """Show which recorded requests would go elsewhere under another configuration.

    No model is loaded and no backend is called. Figures for --expect: changed, model_changed, decision_changed,
    guard_changed, newly_blocked, no_longer_blocked, unknown, cost_change; with % of the requests, or of the cost.
    All but unknown count only requests that can be replayed, so bound unknown as well; none of them holds where not
    one request can be. With several currencies cost_change must hold in each.
    """
    import asyncio
    import os

    from waypost.config.find import resolve
    from waypost.config.load import load
    from waypost.observe.difference import Difference, Expectation
    from waypost.observe.replay import Replay, read_lines

    expectations = [Expectation.parse(text) for text in expect or ()]
    config_now = load(resolve(config, demo=demo), os.environ).config
    lines = read_lines(_lines(file), str(file))
    replayed = asyncio.run(Replay(config_now).run(lines))
    difference = Difference.of(replayed)
    broken = {each.text: why for each in expectations if (why := each.broken(difference))}
    if as_json:
        print(json.dumps(_facts(difference, replayed, list(broken)), ensure_ascii=False))
    else:
        _print(difference)
    for why in broken.values():
        print(f"waypost: expectation broken: {why}", file=sys.stderr)
    if broken:
        raise typer.Exit(1)


def _lines(file: Path) -> list[str]:
    from waypost.errors import DataError

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise DataError(f"{file}: cannot be read: is not UTF-8, as records are") from None
    return text.removesuffix("\n").split("\n") if text else []  # splitlines() would also split within an id


def _facts(difference: Difference, replayed: list[Replayed], broken: list[str]) -> dict[str, Any]:
    from waypost.observe.difference import differs

    changed = [row for row in replayed if row.after and differs((row.before, row.after))]
    return {
        "requests": difference.requests,
        "figures": difference.values(),
        "unknown": difference.unknown,
        "models": _rows(difference.models),
        "decisions": _rows(difference.decisions),
        "guards": _rows(difference.guards),
        "costs": {currency: {"before": sums[0], "after": sums[1]} for currency, sums in difference.costs.items()},
        "costs_unknown": difference.costs_unknown,
        "changes": [asdict(row) for row in changed],
        "broken": broken,
    }


def _rows(changes: Mapping[tuple[str, str], int]) -> list[dict[str, object]]:
    return [{"before": before, "after": after, "requests": count} for (before, after), count in changes.items()]


def _print(difference: Difference) -> None:
    requests, told = difference.requests, difference.told
    print(f"{requests} requests, {told} of them can be replayed, {difference.changed} would change")
    for title, changes in (
        ("model", difference.models),
        ("decision", difference.decisions),
        ("guards", difference.guards),
    ):
        for (before, after), count in changes.items():
            print(f"{count:8}  {title}: {before} -> {after}")
    for currency, (paid, to_pay) in difference.costs.items():
        print(f"{currency}: {paid:.6f} -> {to_pay:.6f}, if the answers were as long")
    if difference.costs_unknown:
        print(f"{difference.costs_unknown:8}  have no cost to compare: no price on one side, or another currency")
    for reason, count in difference.unknown.items():
        print(f"{count:8}  cannot be told: {reason}")
