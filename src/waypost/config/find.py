"""Which configuration file to use, and the two that ship."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from waypost.errors import ConfigError, Problem

__all__ = ["embedded", "places", "resolve"]


def embedded(name: Literal["demo", "starter"]) -> Path:
    """Locate a file that ships: the demo (four models behind one small real LLM), or what ``config init`` writes."""
    return Path(__file__).with_name(f"{name}.yaml")


def resolve(
    explicit: Path | None, *, demo: bool = False, environ: Mapping[str, str] = os.environ, directory: Path = Path()
) -> Path:
    """Choose the file to load: the demo, ``explicit`` (``--config``), ``$WAYPOST_CONFIG``, else one of :func:`places`.

    Raises ConfigError when there is none, and when a file that was named is absent: falling back to another one would
    route by rules that nobody asked for.
    """
    if demo:
        return embedded("demo")
    if explicit is not None:
        return _existing(explicit, "")
    if named := environ.get("WAYPOST_CONFIG"):
        return _existing(directory / named, " (named by $WAYPOST_CONFIG)")
    looked_for = places(environ, directory)
    for path in looked_for:
        if path.is_file():
            return path
    message = "not found, nor {}; write one with 'waypost config init', or try the embedded one with --demo"
    raise ConfigError([Problem(str(looked_for[0]), 0, 0, "", message.format(looked_for[1]))])


def places(environ: Mapping[str, str], directory: Path) -> tuple[Path, Path]:
    """List where a file is looked for when none is named: ``directory``, then the user's configuration."""
    configured = environ.get("XDG_CONFIG_HOME")
    home = Path(configured) if configured else Path(environ.get("HOME") or Path.home()) / ".config"
    return directory / "waypost.yaml", home / "waypost" / "waypost.yaml"


def _existing(path: Path, origin: str) -> Path:
    if path.is_dir():
        raise ConfigError([Problem(str(path), 0, 0, "", f"is a directory, not a file{origin}")])
    if not path.exists():
        raise ConfigError([Problem(str(path), 0, 0, "", f"does not exist{origin}")])
    return path  # perhaps no plain file: /dev/stdin and process substitution are fine
