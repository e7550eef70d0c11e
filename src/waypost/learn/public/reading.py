"""Getting the rows of a public set: from the hub as parquet, from an address as JSON, or from a copy on this disk."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from waypost.errors import DataError, SetupError
from waypost.learn.public.sets import PublicSet

__all__ = ["rows_of_copy", "rows_of_set"]

_REVISION: Final = "refs/convert/parquet"
"""The branch where the hub keeps every set as ``CONFIG/SPLIT/*.parquet``, whatever its authors uploaded."""
_TIMEOUT: Final = 60.0
"""Seconds."""


def rows_of_set(source: PublicSet, split: str) -> Iterator[dict[str, Any]]:
    """Download a split and yield its rows. Raises SetupError without a network or the packages that this needs."""
    if source.repository.startswith("https:"):
        return iter(_objects(_download(source.repository), source.repository))
    return _parquet(_snapshot(source, split), source, split)


def rows_of_copy(source: PublicSet, split: str, path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a copy: a directory with ``CONFIG/SPLIT/*.parquet``, or the JSON file.

    Raises SetupError when nothing of the kind is there, DataError when it cannot be read.
    """
    if path.is_dir():
        return _parquet(path, source, split)
    try:
        return iter(_objects(path.read_bytes(), str(path)))
    except OSError as error:
        raise SetupError(f"cannot read {path}: {error.strerror}") from error


def _snapshot(source: PublicSet, split: str) -> Path:
    try:
        import httpx
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise SetupError(f"public sets need {error.name}; pip install 'waypost[train]'") from error
    patterns = [f"{source.config}/{split}/*.parquet"]
    try:
        return Path(
            snapshot_download(source.repository, repo_type="dataset", revision=_REVISION, allow_patterns=patterns)
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, httpx.HTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise SetupError(
            f"{source.repository} could not be had from the hub: {reason} (elsewhere, download {patterns[0]} of its "
            f"branch {_REVISION}, then give the directory as --copy)"
        ) from error


def _parquet(directory: Path, source: PublicSet, split: str) -> Iterator[dict[str, Any]]:
    files = sorted((directory / source.config / split).glob("*.parquet"))
    if not files:
        raise SetupError(f"{directory} has no {source.config}/{split}/*.parquet")
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise SetupError("parquet files need pyarrow; pip install 'waypost[train]'") from error
    for file in files:
        try:
            for batch in parquet.ParquetFile(file).iter_batches():
                yield from batch.to_pylist()
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read {file}: {error}") from error


def _download(address: str) -> bytes:
    import httpx

    try:
        answer = httpx.get(address, timeout=_TIMEOUT, follow_redirects=True).raise_for_status()
    except httpx.HTTPError as error:
        raise SetupError(f"{address} could not be had: {error} (download it elsewhere; give it as --copy)") from error
    return answer.content


def _objects(data: bytes, name: str) -> list[dict[str, Any]]:
    try:
        rows = json.loads(data)
    except ValueError as error:
        raise DataError(f"{name}: not JSON ({error})") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{name}: not a list of objects")
    return rows
