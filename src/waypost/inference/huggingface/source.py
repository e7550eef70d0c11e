"""Where a model comes from: a directory on this machine, or the Hugging Face hub."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from waypost.errors import SetupError
from waypost.inference.huggingface.extras import require
from waypost.inference.huggingface.folder import Folder

__all__ = ["HUB_ID", "is_path", "locate"]

HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
"""``organisation/model``."""

_FILES: Final = ["*.json", "*.safetensors"]
"""Nothing else is downloaded: no code, no pickles, no other engine's weights."""


def is_path(model: str) -> bool:
    """Tell whether ``model`` can only be meant as a directory, even when it does not exist."""
    return model.startswith(("/", "./", "../", "~")) or model in (".", "..")


def locate(model: str, revision: str | None = None, *, beside: Path | None = None) -> Folder:
    """Find the folder that ``model`` names, downloading it when it is the id of a model on the hub.

    A relative path is looked up in ``beside`` first, then in the working directory. The hub's own variables hold:
    HF_HUB_OFFLINE, HF_HOME, HF_TOKEN, HF_ENDPOINT. Raises SetupError.
    """
    written = Path(model).expanduser()
    for candidate in filter(None, (beside and beside / written, written)):
        if candidate.is_dir():
            return Folder(candidate.resolve())
    if is_path(model):
        raise SetupError(f"there is no directory {written}")
    if not HUB_ID.fullmatch(model):
        raise SetupError(f"{model!r} is neither a directory here nor the id of a model (organisation/model)")
    return Folder(_download(model, revision))


def _download(model: str, revision: str | None) -> Path:
    hub = require("huggingface_hub", "to load a model by its id")
    from huggingface_hub.errors import CacheNotFound, EntryNotFoundError, HfHubHTTPError, HFValidationError

    # OSError: no network, no space. The hub's errors are long; their first line says what happened.
    errors = (OSError, HfHubHTTPError, EntryNotFoundError, CacheNotFound, HFValidationError)
    try:
        return Path(hub.snapshot_download(model, revision=revision, allow_patterns=_FILES))
    except errors as error:
        at = f" at revision {revision}" if revision else ""
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise SetupError(f"{model!r} is no directory here, and could not be had from the hub{at}: {reason}") from error
