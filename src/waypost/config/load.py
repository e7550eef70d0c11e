"""From a file to a :class:`~waypost.config.schema.Config` that can be trusted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from waypost.config.checks import check
from waypost.config.document import read
from waypost.config.mistakes import problems_of
from waypost.config.place import Place
from waypost.config.schema import Config
from waypost.config.structure import is_text_at
from waypost.config.veil import Veil
from waypost.errors import ConfigError, Problem

__all__ = ["Loaded", "digest_of", "load", "loads"]

_MAX_FILE: Final = 2**20


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid configuration and what is worth knowing about it."""

    config: Config
    path: Path
    text: str
    """As it was read, for other processes that run on the same."""
    digest: str
    """12 hex digits that change with any value, wherever it came from, and with nothing else."""
    warnings: tuple[Problem, ...]
    """What has no effect or is risky, in the order of the file."""
    templates: Mapping[Place, str]
    """The text of each value that came from the environment, such as ``${HOST}``: may be shown; the value may not."""
    workers: int
    """Processes that are to serve it."""
    veil: Veil
    """Puts those texts for the values into what somebody says of this configuration."""


def load(path: Path, environ: Mapping[str, str], *, workers: int = 1) -> Loaded:
    """Read, validate and check a file of at most 1 MiB. Raises ConfigError with every mistake, in the file's order.

    ``workers``: how many processes are to serve it.
    """
    return loads(_read_text(path), str(path), environ, workers=workers)


def loads(text: str, name: str, environ: Mapping[str, str], *, workers: int = 1) -> Loaded:
    """:func:`load` for text already read; ``name`` stands for the file in messages and becomes ``Loaded.path``."""
    document = read(text, name, environ, is_text=is_text_at)
    try:
        config = Config.model_validate(document.value, strict=True)
    except ValidationError as error:
        raise ConfigError(problems_of(error, document)) from None
    errors, warnings = check(config, document, environ, workers)
    if errors:
        raise ConfigError(errors)
    return Loaded(config, Path(name), text, digest_of(config), warnings, document.templates, workers, document.veil)


def digest_of(config: Config) -> str:
    """12 hex digits of the SHA-256 of the configuration with all defaults, in canonical JSON."""
    canonical = json.dumps(config.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError([Problem(str(path), 0, 0, "", f"cannot be read: {reason}")]) from None
    if len(data) > _MAX_FILE:
        raise ConfigError([Problem(str(path), 0, 0, "", "is larger than 1 MiB, which is no configuration file")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise ConfigError([Problem(str(path), line, column, "", "is not UTF-8 here")]) from None
