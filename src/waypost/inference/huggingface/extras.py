"""Packages that only external models need."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from waypost.errors import SetupError

__all__ = ["require"]


def require(package: str, purpose: str) -> Any:  # noqa: ANN401 (a module)
    """Import a package of the extra ``models``. Raises SetupError that says how to install it."""
    try:
        return import_module(package)
    except ImportError as error:
        message = f"the package {package} is needed {purpose}; install it with: pip install 'waypost[models]'"
        raise SetupError(message) from error
