"""``/api/v1/embeddings`` and ``/api/v1/similarity``: what the shared encoder makes of texts."""

from __future__ import annotations

import time

from fastapi import APIRouter

from waypost.serve.api.model import Ask, Tell, Text, Texts, milliseconds
from waypost.serve.api.services import EncoderNow

__all__ = ["router"]

router = APIRouter(tags=["embeddings"])


class EmbeddingsRequest(Ask):
    """Texts to embed."""

    texts: Texts


class Embedding(Tell):
    """One text as a vector."""

    embedding: list[float]
    """Of length 1; compare with a dot product."""
    dimension: int
    model_used: str
    processing_time_ms: float
    tokens: int
    """That were read."""
    skipped_tokens: int
    """Of a very long text: what was not read."""


class Embeddings(Tell):
    """The vectors, in the order of the texts."""

    embeddings: list[Embedding]
    total_count: int
    total_processing_time_ms: float
    avg_processing_time_ms: float


class SimilarityRequest(Ask):
    """Two texts to compare."""

    text1: Text
    text2: Text


class Similarity(Tell):
    """How near two texts are."""

    similarity: float
    """Cosine of their vectors, in [-1, 1]."""
    model_used: str
    processing_time_ms: float


@router.post("/embeddings")
async def embeddings(body: EmbeddingsRequest, encoder: EncoderNow) -> Embeddings:
    """Embed up to 100 texts, one after the other."""
    started = time.perf_counter()
    found = [await _embedding(text, encoder) for text in body.texts]
    total = milliseconds(started)
    return Embeddings(
        embeddings=found,
        total_count=len(found),
        total_processing_time_ms=total,
        avg_processing_time_ms=round(total / len(found), 3),
    )


async def _embedding(text: str, encoder: EncoderNow) -> Embedding:
    started = time.perf_counter()
    encoding = await encoder.encode(text)
    return Embedding(
        embedding=encoding.embedding.tolist(),
        dimension=len(encoding.embedding),
        model_used=encoder.manifest.name,
        processing_time_ms=milliseconds(started),
        tokens=encoding.tokens,
        skipped_tokens=encoding.skipped_tokens,
    )


@router.post("/similarity")
async def similarity(body: SimilarityRequest, encoder: EncoderNow) -> Similarity:
    """Compare two texts."""
    started = time.perf_counter()
    one, other = await encoder.encode(body.text1), await encoder.encode(body.text2)
    return Similarity(
        similarity=float(one.embedding @ other.embedding),
        model_used=encoder.manifest.name,
        processing_time_ms=milliseconds(started),
    )
