"""``${NAME}`` and ``${NAME:-default}`` inside a value; ``$${`` is a literal ``${``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from waypost.config.suggest import closest

__all__ = ["Filled", "escape", "fill"]

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its variables replaced."""

    text: str
    variables: tuple[str, ...]
    """Names that were replaced, whether from the environment or by their default."""
    mistakes: tuple[str, ...]


def fill(text: str, environ: Mapping[str, str]) -> Filled:
    """Replace every reference once; what a variable holds is not searched again. ``:-`` also replaces empty values."""
    variables: list[str] = []
    mistakes: list[str] = []

    def value(found: re.Match[str]) -> str:
        name, default = found[1], found[2]
        if found[0] == "$${":
            return "${"
        if name is None:
            mistakes.append("'${' begins no variable; write ${NAME}, ${NAME:-default}, or $${ for a literal '${'")
            return ""
        variables.append(name)
        if default is not None:
            return environ.get(name) or default
        if name not in environ:
            near = closest(name, environ)
            hint = f" (did you mean {near!r}?)" if near else f"; set it, or give a default: ${{{name}:-…}}"
            mistakes.append(f"environment variable {name!r} is not set{hint}")
        return environ.get(name, "")

    return Filled(_REFERENCE.sub(value, text), tuple(variables), tuple(mistakes))


def escape(text: str) -> str:
    """Write ``text`` so that :func:`fill` gives it back."""
    return text.replace("${", "$${")
