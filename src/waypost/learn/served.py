"""The classifiers as serving has them: evaluation, calibration and labelling ask these and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from waypost.build import domain_signal
from waypost.config import schema
from waypost.guard.pii.find import find
from waypost.inference.encoder import Encoder, OnnxEncoder
from waypost.inference.manifest import SHIPPED
from waypost.signals.base import Signal
from waypost.signals.conversation import ConversationReader
from waypost.signals.jailbreak import JailbreakSignal
from waypost.signals.language import LanguageSignal
from waypost.signals.names import PII_TYPES

__all__ = ["PATIENCE", "Served", "SpanFinder", "load_patiently", "open_encoder"]

PATIENCE = 600.0
"""Seconds that one text may take here: a figure must not depend on how busy the machine is."""


class SpanFinder(Protocol):
    """Finds personal data, as the guard does."""

    async def find(self, text: str) -> Sequence[tuple[int, int, str]]:
        """List start, end (exclusive, both in characters) and type of every span."""
        ...


@dataclass(frozen=True, slots=True)
class Served:
    """What a configuration serves. ``model`` is a directory to take instead of the configured domain classifier."""

    encoder: Encoder
    classifiers: schema.Classifiers
    encoding: schema.Encoder
    model: Path | None = None

    def signal(self, task: str) -> Signal:
        """Build the signal of ``task``. Raises SetupError when the encoder has no such classifier."""
        match task:
            case "domain":
                settings = self.classifiers.domain
                if self.model is not None:
                    settings = settings.model_copy(update={"model": str(self.model)})
                return domain_signal(settings, self.encoding, self.encoder)
            case "jailbreak":
                threshold = self.encoder.manifest.threshold("jailbreak", self.classifiers.jailbreak.threshold)
                return JailbreakSignal(self._reader(), threshold, stop_early=False)
            case _:
                language = LanguageSignal(schema.Signals().language.threshold)
                language.load()
                return language

    def finder(self) -> SpanFinder:
        """Build what finds personal data. Raises SetupError when the encoder has no such classifier."""
        return _Spans(self.encoder, self.encoder.manifest.threshold("pii", self.classifiers.pii.threshold))

    def _reader(self) -> ConversationReader:
        return ConversationReader(self.encoder, deadline=PATIENCE, max_windows=self.encoding.max_windows)


@dataclass(frozen=True, slots=True)
class _Spans:
    """What the guard finds, of the types that the classifier knows: labelled rows have no others."""

    encoder: Encoder
    threshold: float

    async def find(self, text: str) -> Sequence[tuple[int, int, str]]:
        found = find(text, (await self.encoder.encode(text)).spans, self.threshold)
        return [(each.start, each.end, each.type) for each in found if each.type in PII_TYPES]


def load_patiently(directory: Path, config: schema.Encoder | None = None) -> OnnxEncoder:
    """Load an encoder that takes as long as it takes. Raises SetupError when a file is missing or was changed."""
    return OnnxEncoder.load(directory, (config or schema.Encoder()).model_copy(update={"deadline": PATIENCE}))


@contextmanager
def open_encoder(config: schema.Encoder) -> Iterator[Encoder]:
    """Load the encoder that ships, and close it at the end. Raises SetupError."""
    encoder = load_patiently(SHIPPED, config)
    try:
        yield encoder
    finally:
        encoder.close()
