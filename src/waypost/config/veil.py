"""What the environment holds may be a secret: messages show ``${NAME}`` in its place."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from waypost.config.environment import fill
from waypost.errors import ConfigError, SetupError

__all__ = ["Veil"]

_SHORT: Final = 4
"""Characters. What is shorter stands in half of all sentences; it is hidden only where it is quoted."""
_SCHEME: Final = re.compile(r"^\w+://")
_BETWEEN: Final = (re.compile(r"[/?#,\s]+"), re.compile(r"[/:@?&=#,\[\]\s]+"))
"""What parts a URL, an address or a list, first coarsely; messages may tell a host, a port or a path alone."""


class Veil:
    """Hides the values of variables in any text: whole, as Python writes them, and the parts that addresses have."""

    def __init__(self, templates: Iterable[str], environ: Mapping[str, str]) -> None:
        """``templates``: values as the file has them, such as ``https://${HOST}/v1``; defaults are there to be read."""
        hidden: dict[str, str] = {}
        for template in templates:
            for value, shown in _values(template, environ):
                for form in _forms(value):
                    hidden.setdefault(form, shown)
        longest_first = sorted(hidden, key=len, reverse=True)
        self._shown = [hidden[form] for form in longest_first]
        self._any = re.compile("|".join(f"({_pattern(form)})" for form in longest_first), re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """Return ``text`` as it may be shown."""
        return self._any.sub(lambda found: self._shown[(found.lastindex or 1) - 1], text) if self._shown else text

    @contextlib.contextmanager
    def over_errors(self) -> Iterator[None]:
        """Let out a ConfigError or SetupError as it may be shown, without the errors it came from."""
        try:
            yield
        except ConfigError as error:
            problems = [replace(problem, message=self(problem.message)) for problem in error.problems]
            raise ConfigError(problems).with_traceback(error.__traceback__) from None
        except SetupError as error:
            raise SetupError(self(str(error))).with_traceback(error.__traceback__) from None


def _values(template: str, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Find what must not be shown, and what is shown instead."""
    filled = fill(template, environ)
    names = [name for name in filled.variables if environ.get(name)]
    if names:
        yield filled.text, template
    for name in names:
        yield environ[name], f"${{{name}}}"


def _forms(value: str) -> Iterator[str]:
    bare = _SCHEME.sub("", value)
    for form in (value, *(part for between in _BETWEEN for part in between.split(bare))):
        if form == value or len(form) >= _SHORT:
            yield from {form, repr(form)[1:-1]}


def _pattern(form: str) -> str:
    if len(form) < _SHORT:
        return rf"(?<=')(?:{re.escape(form)})(?=')"
    # A word is no part of a longer word.
    before = r"(?<!\w)" if re.match(r"\w", form) else ""
    after = r"(?!\w)" if re.search(r"\w$", form) else ""
    return before + re.escape(form) + after
