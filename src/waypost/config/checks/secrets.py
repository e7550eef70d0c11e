"""Secrets: each must be where the configuration says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from waypost.config.api import SHORTEST_TOKEN
from waypost.config.checks.subject import Finding, Subject
from waypost.config.place import Place
from waypost.config.secret import Secret
from waypost.errors import SetupError

__all__ = ["secrets_are_there"]


class _Wanted(NamedTuple):
    place: Place
    variable_key: str
    variable: str | None
    file_key: str
    file: str | None
    what: str
    shortest: int = 1


def secrets_are_there(subject: Subject) -> Iterator[Finding]:
    """Read every secret, as the start will."""
    for wanted in _secrets(subject):
        if wanted.variable is None and wanted.file is None:
            continue
        try:
            Secret(wanted.variable, wanted.file, subject.environ, shortest=wanted.shortest)
        except SetupError as error:
            key = wanted.variable_key if wanted.file is None else wanted.file_key
            yield Finding((*wanted.place, key), f"{error}; it must hold {wanted.what}")


def _secrets(subject: Subject) -> Iterator[_Wanted]:
    for name, model in subject.config.models.items():
        keys = ("api_key_env", model.api_key_env, "api_key_file", model.api_key_file)
        yield _Wanted(("models", name), *keys, f"the key of {name!r}")
    for index, token in enumerate(subject.config.api.tokens):
        place: Place = ("api", "tokens", index)
        yield _Wanted(place, "env", token.env, "file", token.file, f"the token of {token.name!r}", SHORTEST_TOKEN)
    if cache := subject.config.cache:
        yield _Wanted(("cache",), "url_env", cache.url_env, "url_file", cache.url_file, "the URL of the cache's server")
