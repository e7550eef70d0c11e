"""The composition root: Config -> Engine. Nothing else constructs services."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from waypost.config.labels import require_labels
from waypost.config.schema import BUNDLED, Classifier, Config
from waypost.config.schema import Encoder as EncoderSettings
from waypost.config.secret import Secret
from waypost.engine import Engine, Observer
from waypost.guard.health import GuardHealth
from waypost.guard.scope import every
from waypost.guard.watch import Watch
from waypost.inference.layout import holds_head
from waypost.policy.decide import Policy
from waypost.policy.rules import compile_rule, leaves_of
from waypost.select.score import ScoreSelector
from waypost.signals.base import Signal
from waypost.signals.keyword import KeywordSignal
from waypost.signals.language import LanguageSignal
from waypost.signals.length import LengthSignal
from waypost.signals.own import OwnModelSignal
from waypost.types import Record, RequestHead

if TYPE_CHECKING:
    from waypost.cache.cache import Cache
    from waypost.cache.store.base import Store
    from waypost.guard.personal import PersonalData
    from waypost.inference.encoder import Encoder
    from waypost.tools.selection import ToolSelector

__all__ = ["build_engine", "domain_signal", "kinds_used", "load_encoder", "needs_encoder"]

log = logging.getLogger(__name__)

_CLASSIFIED: Final = ("domain", "jailbreak", "pii")


def build_engine(
    config: Config,
    environ: Mapping[str, str],
    *,
    encoder: Encoder | None = None,
    store: Store | None = None,
    tools: ToolSelector | None = None,
    observer: Observer | None = None,
) -> Engine:
    """Build what serves ``config``; may block for a second, or for longer when a model has to be converted first.

    ``encoder`` is what :func:`load_encoder` gave; without ``store`` nothing is cached.
    """
    signals = _signals(config, encoder)
    return Engine(
        config=config,
        policy=Policy(config.routing.decisions),
        signals=signals,
        selector=ScoreSelector(),
        observer=observer or _Silent(),
        watch=Watch(signals.get("jailbreak"), _personal(config, encoder), GuardHealth()),
        cache=_cache(config, store, encoder),
        tools=tools,
        api_keys=_Keys(config, environ),
        created=int(time.time()),
    )


def _cache(config: Config, store: Store | None, encoder: Encoder | None) -> Cache | None:
    if config.cache is None or store is None:
        return None
    from waypost.cache.cache import Cache
    from waypost.cache.similarity import shipped

    return Cache(config.cache, store, shipped(), encoder)


def kinds_used(config: Config) -> frozenset[str]:
    """The kinds of signals that some rule of the configuration names, or a guard listens to."""
    rules = (compile_rule(decision.when) for decision in config.routing.decisions)
    return frozenset(leaf.kind for rule in rules for leaf in leaves_of(rule)) | (_guards(config) & {"jailbreak"})


def _guards(config: Config) -> frozenset[str]:
    """The guards that watch some requests."""
    return frozenset(name for guards in every(config) for name in ("jailbreak", "pii") if getattr(guards, name))


def needs_encoder(config: Config) -> bool:
    """Whether a rule, a guard, the cache or the choice of tools asks for something that the shared encoder tells."""
    compares = config.cache is not None and config.cache.similar
    return bool(_encoder_kinds(config) or _guards(config) or compares or config.tools)


def load_encoder(config: Config) -> Encoder | None:
    """Load the encoder if anything needs it. Blocks for about a second. Raises SetupError."""
    if not needs_encoder(config):
        return None
    from waypost.inference.encoder import OnnxEncoder
    from waypost.inference.manifest import SHIPPED
    from waypost.inference.memo import MemoEncoder

    return MemoEncoder(OnnxEncoder.load(SHIPPED, config.encoder))


def _encoder_kinds(config: Config) -> frozenset[str]:
    """The kinds that rules name and that classifiers on the shared encoder measure."""
    models = {kind: getattr(config.classifiers, kind).model for kind in _CLASSIFIED}
    own = {kind for kind, model in models.items() if model == BUNDLED or holds_head(model)}
    return kinds_used(config) & own


def _signals(config: Config, encoder: Encoder | None) -> dict[str, Signal]:
    """Build the signals that rules name; the others would only take memory."""
    definitions = config.routing.signals
    used = kinds_used(config)
    signals: list[Signal] = [KeywordSignal(definitions.keywords), LengthSignal(definitions.lengths)]
    if "language" in used:
        language = LanguageSignal(definitions.language.threshold)
        language.load()
        signals.append(language)
    if "domain" in used:
        signals += _domain(config, encoder)
    if encoder is not None:
        signals += _understood(config, encoder)
    return {signal.kind: signal for signal in signals if signal.kind in used}


def _understood(config: Config, encoder: Encoder) -> Iterator[Signal]:
    """Build the signals that share the encoder's passes."""
    from waypost.signals.conversation import ConversationReader
    from waypost.signals.jailbreak import JailbreakSignal
    from waypost.signals.pii import PiiSignal

    kinds, classifiers = _encoder_kinds(config), config.classifiers
    reader = ConversationReader(encoder, deadline=config.encoder.deadline, max_windows=config.encoder.max_windows)
    if "jailbreak" in kinds:
        threshold = encoder.manifest.threshold("jailbreak", classifiers.jailbreak.threshold)
        # A guard may ask for another threshold or another kind of attack than the one that was found first.
        yield JailbreakSignal(reader, threshold, stop_early="pii" not in kinds and not _guards(config))
    if "pii" in kinds:
        yield PiiSignal(_personal_data(config, encoder))


def _personal(config: Config, encoder: Encoder | None) -> PersonalData | None:
    """Build what the PII guard searches with."""
    return _personal_data(config, encoder) if encoder is not None and "pii" in _guards(config) else None


def _personal_data(config: Config, encoder: Encoder) -> PersonalData:
    from waypost.guard.personal import PersonalData

    settings = config.encoder
    threshold = encoder.manifest.threshold("pii", config.classifiers.pii.threshold)
    return PersonalData(encoder, threshold, deadline=settings.deadline, max_windows=settings.max_windows)


def _domain(config: Config, encoder: Encoder | None) -> Iterator[Signal]:
    """Build the configured classifier, and look up what rules say of a model of the operator's own."""
    settings = config.classifiers.domain
    if settings.model == BUNDLED and encoder is None:
        return
    signal = domain_signal(settings, config.encoder, encoder)
    if isinstance(signal, OwnModelSignal):
        require_labels(config, "domain", settings.model, signal.labels)
    yield signal


def domain_signal(settings: Classifier, encoding: EncoderSettings, encoder: Encoder | None) -> Signal:
    """Load waypost's classifier, a head of the operator's own, or a whole model, converted first where needed."""
    if encoder is not None and settings.model == BUNDLED:
        from waypost.signals.domain import DomainSignal

        return DomainSignal(encoder, encoder.manifest.threshold("domain", settings.threshold))
    if encoder is not None and holds_head(settings.model):
        from waypost.inference.embedded import EmbeddedClassifier

        head = EmbeddedClassifier.load(Path(settings.model).expanduser(), encoder)
        return OwnModelSignal("domain", head, head.threshold if settings.threshold is None else settings.threshold)
    from waypost.inference.huggingface.classifier import SequenceClassifier

    return OwnModelSignal("domain", SequenceClassifier.load(settings, encoding, log.info), settings.threshold)


class _Keys(Mapping[str, str]):
    """The key of each model that has one, as its file or variable holds it now."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self._secrets = {
            name: Secret(model.api_key_env, model.api_key_file, environ)
            for name, model in config.models.items()
            if model.api_key_env or model.api_key_file
        }

    def __getitem__(self, model: str) -> str:
        return self._secrets[model].reveal()

    def __iter__(self) -> Iterator[str]:
        return iter(self._secrets)

    def __len__(self) -> int:
        return len(self._secrets)


class _Silent:
    """Observes nothing; for the command line."""

    def begin(self, head: RequestHead) -> None:
        del head

    def observe(self, record: Record) -> None:
        del record
