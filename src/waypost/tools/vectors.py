"""Embeddings that are computed once and kept on disk: only new or changed texts are embedded again."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import numpy as np

from waypost.inference.architecture import Floats
from waypost.inference.encoder import Encoder
from waypost.inference.once import home

__all__ = ["embed_kept", "kept_at"]

log = logging.getLogger(__name__)

_DIGEST: Final = 16
_Known = dict[bytes, Floats]


def kept_at(database: Path) -> Path:
    """Where the embeddings of a database are kept; a changed database keeps its place."""
    place = blake2b(str(database.resolve()).encode(), digest_size=_DIGEST).hexdigest()
    return home() / "tools" / f"{place}.npz"


async def embed_kept(encoder: Encoder, texts: Sequence[str], kept: Path) -> Floats:
    """Return the embeddings [n, dimensions]; some 7 ms for each text that the file ``kept`` does not know.

    A file that cannot be read or written costs time, no more. Raises InferenceError when the encoder fails.
    """
    recipe = encoder.manifest.recipe
    keys = [_key(recipe, text) for text in texts]
    known = _read(kept)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    for key, text in missing.items():
        known[key] = (await encoder.encode(text)).embedding
    vectors = np.stack([known[key] for key in keys]) if keys else np.empty((0, encoder.manifest.dimensions), np.float32)
    if missing:
        _write(kept, list(dict.fromkeys(keys)), known)
    return vectors


def _key(recipe: str, text: str) -> bytes:
    key = recipe.encode()
    if len(key) > blake2b.MAX_KEY_SIZE:  # cut off, the vectors of one profile would pass for those of another
        key = blake2b(key).digest()
    return blake2b(text.encode(), digest_size=_DIGEST, key=key).digest()


def _read(path: Path) -> _Known:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            keys, vectors = stored["keys"], stored["vectors"]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.warning("%s cannot be read (%s); everything is embedded again", path, error)
        return {}
    return {key.tobytes(): vector for key, vector in zip(keys, vectors, strict=True)}


def _write(path: Path, keys: Sequence[bytes], known: _Known) -> None:
    """Write all or nothing: processes that start together may both do it."""
    buffer = io.BytesIO()
    digests = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, _DIGEST)
    np.savez(buffer, keys=digests, vectors=np.stack([known[key] for key in keys]))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(buffer.getvalue())
        Path(file.name).replace(path)
    except OSError as error:
        log.warning("%s cannot be written (%s); everything is embedded again at the next start", path, error)
