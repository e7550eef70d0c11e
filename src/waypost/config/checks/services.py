"""The cache and the choice of tools: what a decision changes must be there to be changed."""

from __future__ import annotations

from collections.abc import Iterator

from waypost.config.checks.subject import Finding, Subject

__all__ = ["decisions_change_what_there_is", "tools_have_a_database"]


def decisions_change_what_there_is(subject: Subject) -> Iterator[Finding]:
    """Refuse a decision's ``cache`` or ``tools`` without the section that it changes."""
    for index, decision in enumerate(subject.config.routing.decisions):
        for name in ("cache", "tools"):
            if getattr(decision, name) is not None and getattr(subject.config, name) is None:
                message = f"has no effect: there is no {name} at the top level"
                yield Finding(("routing", "decisions", index, name), message)


def tools_have_a_database(subject: Subject) -> Iterator[Finding]:
    """Refuse a decision that adds tools from a database that is not named."""
    tools = subject.config.tools
    for index, decision in enumerate(subject.config.routing.decisions):
        if tools is not None and decision.tools is not None:
            found = tools.under(decision.tools)
            if found.enabled and found.needs_database and found.database is None:
                message = f"mode {found.mode} needs tools.database, a JSON file of tools"
                yield Finding(("routing", "decisions", index, "tools"), message)
