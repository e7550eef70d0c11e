"""What a recorded measurement depended on, so that another configuration can be compared without its text.

A keyword that is defined as before can be judged by what was recorded; one that changed cannot, for the text is gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from waypost.config.schema import Config

__all__ = ["Definitions", "definitions_of"]


@dataclass(frozen=True, slots=True)
class Definitions:
    """Digests of what measures, by kind of signal."""

    names: Mapping[str, Mapping[str, str]]
    """Kind → name → digest, of signals whose names are defined one by one."""
    models: Mapping[str, str]
    """Kind → digest of the classifier, without its threshold."""
    thresholds: Mapping[str, float | None]
    """Kind → the configured threshold; None for that of the classifier."""


def definitions_of(config: Config) -> Definitions:
    """Take them from a configuration."""
    signals, classifiers = config.routing.signals, dict(config.classifiers)
    return Definitions(
        names={
            "keyword": {rule.name: _digest(rule) for rule in signals.keywords},
            "length": {rule.name: _digest(rule) for rule in signals.lengths},
        },
        models={kind: _digest(each.model_copy(update={"threshold": None})) for kind, each in classifiers.items()},
        thresholds={"language": signals.language.threshold}
        | {kind: each.threshold for kind, each in classifiers.items()},
    )


def _digest(settings: BaseModel) -> str:
    canonical = json.dumps(settings.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
