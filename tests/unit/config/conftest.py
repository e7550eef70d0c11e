from collections.abc import Callable, Mapping
from textwrap import dedent

import pytest

from waypost.config.load import loads
from waypost.errors import ConfigError

Complaints = Callable[..., list[str]]


def _complaints(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """Every line that loading ``text`` as ``f`` prints: the errors, or else the warnings."""
    try:
        loaded = loads(dedent(text).lstrip("\n"), "f", environ or {})
    except ConfigError as error:
        return str(error).split("\n")
    return [f"warning: {warning}" for warning in loaded.warnings]


@pytest.fixture
def complaints() -> Complaints:
    return _complaints
