"""Entries in Milvus: a server, or Milvus Lite embedded in this process with a file."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import grpc
from pymilvus import CollectionSchema, DataType, MilvusClient, MilvusException
from pymilvus.exceptions import ConnectError, MilvusUnavailableException

from waypost.cache.store.circuit import Errors
from waypost.cache.store.collection import Listed, Row
from waypost.cache.store.connection import Connection

__all__ = ["MilvusCollection"]

_PAGE: Final = 1_000
_PIECE: Final = 65_000
"""Characters; a text in Milvus has 65,535 bytes at most, so that data is an array of them."""
_PIECES: Final = 1_000
_LABEL: Final = 32
_UNUSABLE: Final = (100, 101)
"""Milvus' codes of a collection that does not exist, and of one that is not loaded."""
_EMBEDDED_START: Final = 60.0
"""Seconds. Milvus Lite is a server too, and starts in this process; the timeout of one call would be too short."""


class MilvusCollection:
    """One collection for each number of dimensions, which are at least 2.

    A router sees its own writes at once and those of others within moments (consistency level ``Session``).
    """

    down: Errors = (ConnectError, MilvusUnavailableException, grpc.RpcError, OSError)
    refused: Errors = (MilvusException, ValueError)

    def __init__(
        self,
        *,
        dimensions: int,
        timeout: float,
        namespace: str = "waypost",
        url: str | None = None,
        token: str | None = None,
        path: Path | None = None,
    ) -> None:
        """Either ``url`` of a server or ``path`` of a file that no other process uses; ``timeout`` in seconds."""
        self.dimensions = dimensions
        self.embedded = path is not None
        self._timeout = timeout
        self._opening = timeout if path is None else _EMBEDDED_START
        self._where = {"uri": str(path)} if path is not None else {"uri": url or "", "token": token or ""}
        self._name = f"{namespace}_cache_{dimensions}"
        self._connection = Connection(self._connect, self._prepare)

    def open(self) -> None:
        """Connect, and create the collection where there is none."""
        self._connection.client()

    def gone(self, error: Exception) -> bool:
        """Tell whether ``error`` says that the collection is no longer there, or not in Milvus' memory."""
        return isinstance(error, MilvusException) and error.code in _UNUSABLE

    def forget(self) -> None:
        """Look for the collection again when next asked."""
        self._connection.forget()

    def get(self, key: str) -> str | None:
        """Return the data of a row."""
        found = self._client.get(self._name, [key], output_fields=["data"], timeout=self._timeout)
        return "".join(found[0]["data"]) if found else None

    def nearest(self, partition: str, vector: Sequence[float], k: int, now: float) -> Sequence[tuple[float, str]]:
        """Return cosine and data of the ``k`` nearest of ``partition`` that end after ``now``, the nearest first."""
        found = self._client.search(
            self._name,
            data=[list(vector)],
            filter=f"{_where({'partition': partition})} and expires > {now!r}",
            limit=k,
            output_fields=["data"],
            timeout=self._timeout,
        )
        return [(hit["distance"], "".join(hit["entity"]["data"])) for hit in found[0]]

    def put(self, row: Row) -> None:
        """Keep a row in place of one with its key."""
        pieces = [row.data[start : start + _PIECE] for start in range(0, len(row.data), _PIECE)]
        facts = {"key": row.key, "partition": row.partition, "expires": row.expires, "size": row.size, **row.labels}
        self._client.upsert(self._name, [{**facts, "data": pieces, "vector": list(row.vector)}], timeout=self._timeout)

    def listed(self, labels: Mapping[str, str]) -> Sequence[Listed]:
        """List the rows that have all of these labels."""
        rows: list[Listed] = []
        fields = ["key", "expires", "size"]
        pages = self._client.query_iterator(
            self._name, batch_size=_PAGE, filter=_where(labels), output_fields=fields, timeout=self._timeout
        )
        while found := pages.next():
            rows += [Listed(row["expires"], row["key"], row["size"]) for row in found]
        pages.close()
        return rows

    def delete(self, keys: Sequence[str]) -> None:
        """Drop rows."""
        for start in range(0, len(keys), _PAGE):
            self._client.delete(self._name, ids=list(keys[start : start + _PAGE]), timeout=self._timeout)

    def close(self) -> None:
        """Let go of the connection, or of the file."""
        self._connection.close()

    @property
    def _client(self) -> MilvusClient:
        return self._connection.client()

    def _connect(self) -> MilvusClient:
        # It writes a traceback for each call that fails; the circuit says what happened, and not each time.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        return MilvusClient(**self._where, timeout=self._opening)

    def _prepare(self, client: MilvusClient) -> None:
        if client.has_collection(self._name, timeout=self._opening):
            client.load_collection(self._name, timeout=self._opening)  # Milvus Lite starts with none loaded
        else:
            self._create(client)

    def _create(self, client: MilvusClient) -> None:
        indexes = client.prepare_index_params()
        indexes.add_index("vector", index_type="FLAT", metric_type="COSINE")
        client.create_collection(self._name, schema=self._schema(), index_params=indexes, consistency_level="Session")

    def _schema(self) -> CollectionSchema:
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=_LABEL)
        for label in ("partition", "decision", "owner", "question"):
            schema.add_field(label, DataType.VARCHAR, max_length=_LABEL)
        schema.add_field("expires", DataType.DOUBLE)
        schema.add_field("size", DataType.INT64)
        texts: dict[str, Any] = {"element_type": DataType.VARCHAR, "max_capacity": _PIECES, "max_length": _PIECE}
        schema.add_field("data", DataType.ARRAY, **texts)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self.dimensions)
        return schema


def _where(labels: Mapping[str, str]) -> str:
    """Write a filter; labels need no escapes. Milvus wants one that holds for all rows, where all are meant."""
    return " and ".join(f'{name} == "{value}"' for name, value in labels.items()) or "size >= 0"
