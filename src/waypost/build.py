"""The composition root: Config -> Engine. Nothing else constructs services."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from waypost.config.schema import Config
from waypost.engine import Engine, Observer
from waypost.policy.decide import Policy
from waypost.policy.rules import compile_rule, leaves_of
from waypost.select.score import ScoreSelector
from waypost.signals.base import Signal
from waypost.signals.keyword import KeywordSignal
from waypost.signals.language import LanguageSignal
from waypost.signals.length import LengthSignal
from waypost.types import Record

if TYPE_CHECKING:
    from waypost.inference.encoder import Encoder

__all__ = ["build_engine", "kinds_used", "load_encoder"]


def build_engine(
    config: Config, environ: Mapping[str, str], *, encoder: Encoder | None = None, observer: Observer | None = None
) -> Engine:
    """Build what serves ``config``; may block for a second. ``encoder`` is what :func:`load_encoder` gave."""
    return Engine(
        config=config,
        policy=Policy(config.routing.decisions),
        signals=_signals(config, encoder),
        selector=ScoreSelector(),
        observer=observer or _Silent(),
        api_keys={name: environ[model.api_key_env] for name, model in config.models.items() if model.api_key_env},
        created=int(time.time()),
    )


def kinds_used(config: Config) -> frozenset[str]:
    """The kinds of signals that some rule of the configuration names."""
    rules = (compile_rule(decision.when) for decision in config.routing.decisions)
    return frozenset(leaf.kind for rule in rules for leaf in leaves_of(rule))


def load_encoder(config: Config) -> Encoder | None:
    """Load the prepared encoder if a rule needs it. Blocks for about a second. Raises SetupError."""
    if "domain" not in kinds_used(config):
        return None
    from waypost.inference.encoder import OnnxEncoder
    from waypost.inference.prepare import location

    return OnnxEncoder.load(location(), config.encoder)


def _signals(config: Config, encoder: Encoder | None) -> dict[str, Signal]:
    """Build the signals that rules name; the others would only take memory."""
    definitions = config.routing.signals
    used = kinds_used(config)
    signals: list[Signal] = [KeywordSignal(definitions.keywords), LengthSignal(definitions.lengths)]
    if "language" in used:
        language = LanguageSignal(definitions.language.threshold)
        language.load()
        signals.append(language)
    if encoder is not None:
        from waypost.signals.domain import DomainSignal

        signals.append(DomainSignal.load(encoder, config.classifiers.domain.threshold))
    return {signal.kind: signal for signal in signals if signal.kind in used}


class _Silent:
    """Observes nothing; for the command line."""

    def begin(self) -> None:
        pass

    def observe(self, record: Record) -> None:
        del record
