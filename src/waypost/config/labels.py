"""Names of rules that are the labels of a model: they can be judged only when the model is there."""

from __future__ import annotations

from collections.abc import Collection

from waypost.config.checks.subject import Subject
from waypost.config.place import dotted
from waypost.config.schema import Config
from waypost.config.suggest import did_you_mean
from waypost.errors import ConfigError, Problem

__all__ = ["require_labels"]


def require_labels(config: Config, kind: str, model: str, labels: Collection[str]) -> None:
    """Raise ConfigError, with every mistake, when a rule names something of ``kind`` that ``model`` does not know."""
    problems = [
        Problem("configuration", 0, 0, dotted(place), f"{model} has no label {name!r}{did_you_mean(name, labels)}")
        for place, name in Subject(config, {}).names(kind)
        if name not in labels
    ]
    if problems:
        raise ConfigError(problems)
