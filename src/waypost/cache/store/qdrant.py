"""Entries in Qdrant: a server, or embedded in this process with its files in a directory."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from waypost.cache.store.circuit import Errors
from waypost.cache.store.collection import Listed, Row
from waypost.cache.store.connection import Connection

__all__ = ["QdrantCollection"]

_PAGE: Final = 1_000


class QdrantCollection:
    """One collection for each number of dimensions."""

    down: Errors = (ResponseHandlingException, OSError)
    refused: Errors = (ApiException, ValueError, sqlite3.Error)
    """Embedded it writes through SQLite: where the disk is full, what it holds is served nevertheless."""

    def __init__(
        self,
        *,
        dimensions: int,
        timeout: float,
        namespace: str = "waypost",
        url: str | None = None,
        api_key: str | None = None,
        path: Path | None = None,
    ) -> None:
        """Either ``url`` of a server or ``path`` of a directory that no other process uses; ``timeout`` in seconds."""
        self.dimensions = dimensions
        self.embedded = path is not None
        self._where: dict[str, Any] = (
            {"path": str(path), "force_disable_check_same_thread": True}  # one thread at a time, not always the same
            if path is not None
            else {"url": url, "api_key": api_key, "timeout": max(1, round(timeout)), "check_compatibility": False}
        )
        self._name = f"{namespace}_cache_{dimensions}"
        self._connection = Connection(lambda: QdrantClient(**self._where), self._prepare)

    def open(self) -> None:
        """Connect, and create the collection where there is none."""
        self._connection.client()

    def gone(self, error: Exception) -> bool:
        """Tell whether ``error`` says that the collection is no longer there."""
        if isinstance(error, UnexpectedResponse):
            return error.status_code == HTTPStatus.NOT_FOUND
        return isinstance(error, ValueError) and f"{self._name} not found" in str(error)  # embedded, it has no codes

    def forget(self) -> None:
        """Look for the collection again when next asked."""
        self._connection.forget()

    def get(self, key: str) -> str | None:
        """Return the data of a row."""
        found = self._client.retrieve(self._name, [key], with_payload=["data"])
        return str(_payload(found[0])["data"]) if found else None

    def nearest(self, partition: str, vector: Sequence[float], k: int, now: float) -> Sequence[tuple[float, str]]:
        """Return cosine and data of the ``k`` nearest of ``partition`` that end after ``now``, the nearest first."""
        where = _where({"partition": partition})
        where.append(models.FieldCondition(key="expires", range=models.Range(gt=now)))
        found = self._client.query_points(
            self._name, query=list(vector), query_filter=models.Filter(must=where), limit=k, with_payload=["data"]
        )
        return [(point.score, str(_payload(point)["data"])) for point in found.points]

    def put(self, row: Row) -> None:
        """Keep a row in place of one with its key."""
        facts = {"partition": row.partition, "expires": row.expires, "size": row.size, "data": row.data, **row.labels}
        self._client.upsert(self._name, [models.PointStruct(id=row.key, vector=list(row.vector), payload=facts)])

    def listed(self, labels: Mapping[str, str]) -> Sequence[Listed]:
        """List the rows that have all of these labels."""
        rows: list[Listed] = []
        place: Any = None
        while True:
            found, place = self._client.scroll(
                self._name,
                scroll_filter=models.Filter(must=_where(labels)),
                limit=_PAGE,
                offset=place,
                with_payload=["expires", "size"],
            )
            facts = ((str(point.id), _payload(point)) for point in found)
            rows += [Listed(fact["expires"], key, fact["size"]) for key, fact in facts]
            if place is None:
                return rows

    def delete(self, keys: Sequence[str]) -> None:
        """Drop rows."""
        self._client.delete(self._name, points_selector=models.PointIdsList(points=list(keys)))

    def close(self) -> None:
        """Let go of the connection, or of the files."""
        self._connection.close()

    @property
    def _client(self) -> QdrantClient:
        return self._connection.client()

    def _prepare(self, client: QdrantClient) -> None:
        if not client.collection_exists(self._name):
            self._create(client)

    def _create(self, client: QdrantClient) -> None:
        client.create_collection(
            self._name,
            vectors_config=models.VectorParams(
                size=self.dimensions, distance=models.Distance.COSINE, datatype=models.Datatype.FLOAT16
            ),
        )
        if self.embedded:
            return  # it has no such indexes, and warns
        for label in ("partition", "decision", "owner", "question"):
            client.create_payload_index(self._name, label, models.PayloadSchemaType.KEYWORD)
        client.create_payload_index(self._name, "expires", models.PayloadSchemaType.FLOAT)


def _where(labels: Mapping[str, str]) -> list[models.Condition]:
    return [models.FieldCondition(key=name, match=models.MatchValue(value=value)) for name, value in labels.items()]


def _payload(point: models.Record | models.ScoredPoint) -> dict[str, Any]:
    return point.payload or {}
