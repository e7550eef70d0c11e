"""Which tools to send, given how each of them scores."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np

from waypost.config.tooling import ToolsConfig
from waypost.inference.architecture import Floats
from waypost.tools.tool import Tool

__all__ = ["best"]


def best(
    tools: Sequence[Tool], scores: Floats, settings: ToolsConfig, *, never: frozenset[str] = frozenset()
) -> list[int]:
    """Return the places of the best tools, best first: at most ``top_k``, none below ``similarity``.

    ``never``: names that are not wanted. Of equal scores the first wins, and of two tools with one name the better.
    """
    chosen: dict[str, int] = {}
    for place in np.argsort(-scores, kind="stable").tolist():
        if len(chosen) == settings.top_k or scores[place] < settings.similarity:
            break
        tool = tools[place]
        if tool.name not in never and tool.name not in chosen and _eligible(tool, settings):
            chosen[tool.name] = place
    return list(chosen.values())


def _eligible(tool: Tool, settings: ToolsConfig) -> bool:
    if settings.tags is not None and settings.mode != "filter" and tool.labels.isdisjoint(settings.tags):
        return False
    if settings.allow is not None and not _named(tool.name, settings.allow):
        return False
    return not _named(tool.name, settings.block)


def _named(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
