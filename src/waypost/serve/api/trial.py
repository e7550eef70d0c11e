"""Another configuration than the one in force, tried on a request: read, built beside it, and dropped.

Whoever may send one must learn and reach nothing by it that the configuration in force does not give away already: it
names no other file and no other model of ours, opens no store and no connection, and refers to the environment only as
the configuration in force does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import Request

from waypost.build import build_engine, kinds_used, needs_encoder
from waypost.config.document import Document, read
from waypost.config.environment import fill
from waypost.config.labels import require_labels
from waypost.config.load import Loaded, loads
from waypost.config.place import Place
from waypost.config.schema import BUNDLED, Classifier, Config
from waypost.engine import Engine
from waypost.errors import ConfigError, Problem, SetupError
from waypost.inference.encoder import Encoder
from waypost.serve.api.errors import Unavailable
from waypost.signals.base import Signal
from waypost.signals.own import OwnModelSignal

__all__ = ["MAX_TRIAL", "Running", "Trials", "Tried"]

MAX_TRIAL: Final = 2**17
"""Characters of a configuration that is tried: a second of a core."""

_NAME: Final = "config"
_SET: Final = "set-but-not-told"
"""Stands for the value of a variable of which only the presence matters."""
_NAMED: Final = ("models", "reasoning_families")
"""Sections whose keys are names that an operator gives."""
_MODEL: Final = ("model", "revision", "base", "mapping")
"""The keys of a classifier that lead to files or to the hub."""


@dataclass(frozen=True, slots=True)
class Running:
    """What is in force."""

    engine: Engine
    loaded: Loaded
    encoder: Encoder | None


@dataclass(frozen=True, slots=True)
class Tried:
    """A configuration, and the engine that serves it."""

    engine: Engine
    loaded: Loaded


class Trials:
    """Builds one trial at a time, for whoever may do what ``operator`` checks."""

    def __init__(self, environ: Mapping[str, str], operator: Sequence[Any]) -> None:
        self._environ = environ
        self._operator = tuple(each.dependency for each in operator)
        self._turn = asyncio.Lock()

    async def build(self, text: str, running: Running, request: Request) -> Tried:
        """Build what ``text`` says, for the length of one request.

        Raises Unauthorized, Forbidden, ConfigError with every mistake, Unavailable when ``running`` lacks a part.
        """
        for check in self._operator:
            await check(request)
        async with self._turn:
            return await asyncio.to_thread(_tried, text, running, self._environ)


def _tried(text: str, running: Running, environ: Mapping[str, str]) -> Tried:
    known = {name: value and _SET for name, value in environ.items()}
    document = read(text, _NAME, known)
    if problems := [*_foreign_references(document, running), *_foreign_files(document, running)]:
        raise ConfigError(problems)
    loaded = loads(text, _NAME, known | _referred(running.loaded, environ))
    if problems := list(_differently_encoded(loaded.config, running)):
        raise ConfigError(problems)
    try:
        with loaded.veil.over_errors():
            return Tried(_engine(loaded.config, running, known), loaded)
    except SetupError as error:
        raise Unavailable(f"{error}.", code="not_built") from error


def _referred(loaded: Loaded, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables whose values stand in the configuration in force. Keys are not among them: they are only named."""
    names = (name for template in loaded.templates.values() for name in fill(template, environ).variables)
    return {name: environ[name] for name in names if name in environ}


def _foreign_references(document: Document, running: Running) -> Iterator[Problem]:
    """Find the references that stand nowhere alike in the configuration in force.

    Elsewhere a value could be read off what is answered, or found out by what it matches.
    """
    alike = {(_role(place), template) for place, template in running.loaded.templates.items()}
    for place, template in document.templates.items():
        if (_role(place), template) not in alike:
            message = "a trial may refer to the environment only as the configuration in force does; write a value"
            yield document.problem(place, message)


def _role(place: Place) -> Place:
    """What a value is, without which of several: neither numbers nor names of models."""
    return tuple(step for at, step in enumerate(place) if isinstance(step, str) and (at != 1 or place[0] not in _NAMED))


def _foreign_files(document: Document, running: Running) -> Iterator[Problem]:
    """Find the files and models that the configuration in force does not name: checking them would tell of them."""
    in_force = running.loaded.config.model_dump(mode="json")
    ours = {(_role(place), value) for place, value in _leaves(in_force, ())}
    for place, value in _leaves(document.value, ()):
        role = _role(place)
        if (
            _names_file(role)
            and place not in document.templates
            and value not in (BUNDLED, None)
            and (role, value) not in ours
        ):
            yield document.problem(
                place, "a trial reads no file and no model that the configuration in force does not name"
            )


def _leaves(value: object, place: Place) -> Iterator[tuple[Place, object]]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _leaves(item, (*place, key))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _leaves(item, (*place, index))
        case _:
            yield place, value


def _names_file(role: Place) -> bool:
    section, key = role[0], str(role[-1])
    return section == "tls" or key == "file" or key.endswith("_file") or (section == "classifiers" and key in _MODEL)


def _differently_encoded(config: Config, running: Running) -> Iterator[Problem]:
    """Find what the one encoder in memory cannot tell."""
    profile, own = running.loaded.config.encoder.profile, running.loaded.config.classifiers.domain
    if config.encoder.profile != profile:
        yield Problem(
            _NAME, 0, 0, "encoder.profile", f"a trial shares the encoder in memory, which runs as {profile!r}"
        )
    if config.classifiers.domain.model != BUNDLED and config.classifiers.domain != own:
        message = "a trial shares the model in memory; leave all of classifiers.domain as it is in force"
        yield Problem(_NAME, 0, 0, "classifiers.domain", message)


def _engine(config: Config, running: Running, environ: Mapping[str, str]) -> Engine:
    """Build an engine that keeps nothing and calls nobody; what is large is that of ``running``."""
    alone = config.model_copy(update={"cache": None, "tools": None})
    if needs_encoder(alone) and running.encoder is None:
        raise Unavailable(
            "It needs the encoder, which nothing in force needs, so it is not loaded.", code="encoder_not_loaded"
        )
    lent: dict[str, Signal] = {}
    if config.classifiers.domain.model != BUNDLED and "domain" in kinds_used(config):
        lent["domain"] = _own_domain(config, running)
        ours = alone.classifiers.model_copy(update={"domain": Classifier()})
        alone = alone.model_copy(update={"classifiers": ours})
    engine = build_engine(alone, environ, encoder=running.encoder)
    return replace(engine, config=config, signals={**engine.signals, **lent})


def _own_domain(config: Config, running: Running) -> OwnModelSignal:
    signal = running.engine.signals.get("domain")
    if not isinstance(signal, OwnModelSignal):
        raise Unavailable(
            "It needs the model of classifiers.domain, which no rule in force needs.", code="classifier_not_loaded"
        )
    require_labels(config, "domain", config.classifiers.domain.model, signal.labels)
    return signal
