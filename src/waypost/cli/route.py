"""``waypost route TEXT``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from waypost.cli.options import ConfigOption, DemoOption, JsonOption

if TYPE_CHECKING:
    from waypost.engine import Engine, Routed

__all__ = ["route"]

_SHOWN_SCORE: Final = 0.05
"""Names that scored less and did not match are left out of the table; --json has them all."""


def route(
    text: Annotated[str, typer.Argument(help="The user's message; - reads it from stdin.")],
    config: ConfigOption = None,
    demo: DemoOption = False,
    model: Annotated[str, typer.Option("--model", "-m", help="The model the client would name.")] = "MoM",
    as_json: JsonOption = False,
) -> None:
    """Show where a message would go, and why.

    No backend is called.
    """
    import asyncio
    import os

    from waypost.build import build_engine, load_encoder
    from waypost.config.find import resolve
    from waypost.config.load import load
    from waypost.types import Message, Request

    content = sys.stdin.read() if text == "-" else text
    loaded = load(resolve(config, demo=demo), os.environ)
    with loaded.veil.over_errors():
        encoder = load_encoder(loaded.config)
        engine = build_engine(loaded.config, os.environ, encoder=encoder)
    request = Request(wire="chat", model=model, messages=(Message("user", content),), user_text=content)
    try:
        routed = asyncio.run(engine.route(request))
    finally:
        if encoder:
            encoder.close()
    facts = _facts(engine, routed)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        _print_tables(facts)


def _facts(engine: Engine, routed: Routed) -> dict[str, Any]:
    """Gather what is shown, JSON-serialisable, with stable keys."""
    from waypost.policy.explain import decision_rows, signal_rows

    selection, decision, outcome = routed.selection, routed.decision, routed.outcome
    model = engine.config.models[selection.model]
    return {
        "model": selection.model,
        "served_as": model.served_as or selection.model,
        "selection": selection.reason,
        "decision": decision.name if decision else None,
        "confidence": decision.confidence if decision else None,
        "reasons": list(decision.reasons) if decision else [],
        "rejected": list(decision.rejected) if decision else [],
        "category": routed.category or None,
        "guards": [
            {"guard": verdict.guard, "action": verdict.action, "found": dict(verdict.found), "error": verdict.error}
            for verdict in routed.verdicts
        ],
        "blocked": routed.blocked is not None,
        "reasoning": selection.reasoning,
        "effort": selection.effort,
        "system_prompt": routed.system_prompt.text if routed.system_prompt else None,
        "signals": signal_rows(engine.policy, outcome) if outcome else [],
        "decisions": decision_rows(engine.policy, outcome) if outcome else [],
        "milliseconds": {kind: seconds * 1000 for kind, seconds in outcome.seconds.items()} if outcome else {},
    }


def _print_tables(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    summary = Table.grid(padding=(0, 2))
    for verdict in facts["guards"]:
        found = ", ".join(f"{name} ({score:.2f})" for name, score in verdict["found"].items())
        summary.add_row(f"[bold]{verdict['guard']}[/]", escape(f"{verdict['action']}: {found or verdict['error']}"))
    for name in ("model", "selection", "decision", "category", "reasoning", "system_prompt"):
        if facts[name] is not None:
            summary.add_row(f"[bold]{name}[/]", escape(str(facts[name])))
    for reason in facts["reasons"]:
        summary.add_row("[bold]because[/]", escape(reason))
    for line in facts["rejected"]:
        summary.add_row("[bold]passed over[/]", escape(line))
    console.print(summary)
    table = Table("signal", "name", "score", "threshold", "holds", "note")
    for row in facts["signals"]:
        if row["note"] or row["truth"] or (row["score"] or 0.0) >= _SHOWN_SCORE:
            table.add_row(*(_cell(row[column]) for column in ("signal", "name", "score", "threshold", "truth", "note")))
    if table.row_count:
        console.print(table)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
