"""How good serving's classifiers are on a file of labelled rows: one file a kind of task."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from waypost.learn.evaluate.attacks import evaluate_jailbreak
from waypost.learn.evaluate.evidence import Evaluation, Say
from waypost.learn.evaluate.similar import evaluate_cache
from waypost.learn.evaluate.spans import evaluate_pii
from waypost.learn.evaluate.tools import evaluate_tools
from waypost.learn.evaluate.topics import evaluate_domain, evaluate_language
from waypost.learn.served import Served

__all__ = ["TASKS", "Evaluation"]

TASKS: Final[dict[str, Callable[[Served, Path, Say], Coroutine[Any, Any, Evaluation]]]] = {
    "domain": evaluate_domain,
    "jailbreak": evaluate_jailbreak,
    "pii": evaluate_pii,
    "cache": evaluate_cache,
    "tools": evaluate_tools,
    "language": evaluate_language,
}
"""Evaluators by task. Each raises DataError for a file that it cannot use, SetupError without its classifier."""
