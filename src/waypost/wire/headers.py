"""The headers that waypost sets: for the backend, and for the client.

Names and meanings follow VSR wherever it has them. Values are printable ASCII, whatever a name or a reason holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from waypost.types import Decision, Recalled, Selection, SignalResult, ToolChoice, Verdict

__all__ = [
    "DEBUG",
    "DESTINATION",
    "GUARDS",
    "SELECTED_MODEL",
    "SERVER_TIMING",
    "ascii_value",
    "for_backend",
    "for_cache_miss",
    "for_client",
    "for_debugging",
    "for_guards",
    "for_tools",
    "server_timing",
]

DEBUG = "x-vsr-debug"
DESTINATION = "x-gateway-destination-endpoint"
SELECTED_MODEL = "x-selected-model"
SERVER_TIMING = "server-timing"

GUARD_ERROR = "x-vsr-guard-error"
JAILBREAK_BLOCKED = "x-vsr-jailbreak-blocked"
JAILBREAK_TYPE = "x-vsr-jailbreak-type"
PII_MASKED = "x-vsr-pii-masked"
PII_TYPES = "x-vsr-pii-types"
PII_VIOLATION = "x-vsr-pii-violation"
GUARDS = (GUARD_ERROR, JAILBREAK_BLOCKED, JAILBREAK_TYPE, PII_MASKED, PII_TYPES, PII_VIOLATION)
"""What only our guards may say: a backend's own headers of these names never reach a client."""

_LONGEST_LIST: Final = 1024
"""Characters; a client may offer hundreds of tools, and Envoy bounds all headers together."""
_IN_DOUBT = {"block": "blocked", "route": "routed", "restrict_models": "restricted"}
_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


def ascii_value(text: str) -> str:
    """Percent-encode (RFC 3986) what may not stand in a header value; plain ASCII stays readable."""
    return quote(text.replace("≥", ">=").replace("≤", "<="), safe=_PRINTABLE)


def for_backend(decision: Decision | None, selection: Selection, category: str) -> list[tuple[str, str]]:
    """What the backend, and Envoy's route table, learn of the choice."""
    headers = [(SELECTED_MODEL, selection.model)]
    if decision is not None and decision.name:
        headers += [("x-vsr-selected-decision", decision.name), ("x-confidence", f"{decision.confidence:.4f}")]
    if category:
        headers.append(("x-category", ascii_value(category)))
    return headers


def for_client(
    decision: Decision | None, selection: Selection, category: str, *, system_prompt: bool
) -> list[tuple[str, str]]:
    """What the client learns of the choice, on every answer of a model."""
    headers = [("x-vsr-selected-model", selection.model)]
    if decision is not None and decision.name:
        headers += [
            ("x-vsr-selected-decision", decision.name),
            ("x-vsr-selected-confidence", f"{decision.confidence:.4f}"),
        ]
    if category:
        headers.append(("x-vsr-selected-category", ascii_value(category)))
    if selection.reasoning is not None:
        headers.append(("x-vsr-selected-reasoning", "on" if selection.reasoning else "off"))
    headers.append(("x-vsr-injected-system-prompt", "true" if system_prompt else "false"))
    return headers


def for_guards(verdicts: Iterable[Verdict]) -> list[tuple[str, str]]:
    """What the client learns of the guards; nothing of what they only logged."""
    headers: dict[str, str] = {}
    errors = []
    for verdict in verdicts:
        if verdict.error:
            errors.append(f"{verdict.guard} {_IN_DOUBT.get(verdict.action, 'allowed')}: {verdict.error}")
        if not verdict.found or verdict.action == "log":
            continue
        if verdict.guard == "jailbreak" and verdict.action == "block":
            headers |= {JAILBREAK_BLOCKED: "true", JAILBREAK_TYPE: ",".join(verdict.found)}
        elif verdict.guard == "pii":
            headers[PII_TYPES] = ",".join(sorted(verdict.found))
            headers |= {"block": {PII_VIOLATION: "true"}, "mask": {PII_MASKED: "true"}}.get(verdict.action, {})
    if errors:
        headers[GUARD_ERROR] = ascii_value("; ".join(errors))
    return list(headers.items())


def for_cache_miss(outcome: Recalled) -> list[tuple[str, str]]:
    """That the cache was asked, and why it did not answer."""
    return [("x-vsr-cache-hit", "false"), ("x-vsr-cache-miss", ascii_value(outcome.reason))]


def for_debugging(
    decision: Decision | None, selection: Selection, signals: Mapping[str, SignalResult]
) -> list[tuple[str, str]]:
    """The details, for a client that asked with ``x-vsr-debug: true``."""
    headers = [("x-vsr-selection-reason", ascii_value(selection.reason))]
    if decision is not None:
        headers.append(("x-vsr-decision-reasons", ascii_value("; ".join(decision.reasons))))
        headers.append(("x-vsr-decisions-rejected", ascii_value("; ".join(decision.rejected))))
    for kind, result in sorted(signals.items()):
        value = f"unknown: {result.unknown}" if result.unknown else ",".join(sorted(result.matched))
        headers.append((f"x-vsr-matched-{kind}", ascii_value(value)))
    return [(name, value) for name, value in headers if value]


def for_tools(
    choice: ToolChoice, offered: Sequence[str], confidence: float | None, seconds: float
) -> list[tuple[str, str]]:
    """Which tools the model was ``offered``, and how they were chosen, for a client that asked with ``x-vsr-debug``.

    ``confidence``: the highest score; None when no tool was chosen for its score.
    """
    headers = [
        ("x-vsr-tools-strategy", choice.mode),
        ("x-vsr-tools-offered", _listed(offered)),
        ("x-vsr-tools-latency-ms", f"{seconds * 1000:.2f}"),
    ]
    if confidence is not None:
        headers.append(("x-vsr-tools-confidence", f"{confidence:.4f}"))
    if choice.unknown:
        headers.append(("x-vsr-tools-unknown", ascii_value(choice.unknown)))
    return [(name, value) for name, value in headers if value]


def _listed(names: Sequence[str]) -> str:
    """Join names with commas; where they are too many, end with how many more there are."""
    parts: list[str] = []
    left = _LONGEST_LIST
    for name in names:
        part = ascii_value(name).replace(",", "%2C")
        left -= len(part) + 1
        if left < 0:
            return ",".join([*parts, f"+{len(names) - len(parts)}"])
        parts.append(part)
    return ",".join(parts)


def server_timing(signal: float, decide: float, total: float) -> str:
    """``Server-Timing`` (W3C) from seconds; the figures are in milliseconds as the specification asks."""
    stages = (("signal", signal), ("decide", decide), ("total", total))
    return ", ".join(f"waypost-{name};dur={seconds * 1000:.2f}" for name, seconds in stages)
