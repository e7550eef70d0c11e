"""What a Qdrant server answers when something is amiss; the rest is in ``tests/contract/cache_store``."""

import json
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from waypost.cache.entry import Entry
from waypost.cache.store.base import StoreUnavailable
from waypost.cache.store.collection import CollectionStore

pytest.importorskip("qdrant_client")
from waypost.cache.store.qdrant import QdrantCollection

ENTRY = Entry("a", "p", "q", b"x", "chat", 1.0, 1e12, "d", "m", "o", None)


class _Handler(BaseHTTPRequestHandler):
    def _answer(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        status, result, headers = self.server.answer(self.command, self.path)
        body = json.dumps({"result": result, "status": "ok" if status == 200 else {"error": "odd"}, "time": 0}).encode()
        self.send_response(status)
        for name, value in {**headers, "content-type": "application/json", "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *_):
        pass


class Qdrant(ThreadingHTTPServer):
    """Knows whether its one collection exists, and answers to nothing but its creation and empty questions."""

    exists = False
    limited = False

    def answer(self, method, path):
        path = path.partition("?")[0]
        if path.endswith("/exists"):
            return 200, {"exists": self.exists}, {}
        if self.limited:
            return 429, None, {"retry-after": "1"}
        if method == "PUT" and path == "/collections/test_cache_8":
            self.exists = True
            return 200, True, {}
        if not self.exists:
            return 404, None, {}
        return (
            200,
            [] if path.endswith("/points") and method == "POST" else {"operation_id": 1, "status": "completed"},
            {},
        )


@pytest.fixture
def server():
    with Qdrant(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
async def store(server):
    url = f"http://127.0.0.1:{server.server_port}"
    collection = QdrantCollection(dimensions=8, timeout=60.0, namespace="test", url=url)
    store = CollectionStore("qdrant", collection, max_entries=10, max_bytes=10**6, timeout=60.0)
    yield store
    await store.close()


async def test_a_limit_of_rates_says_unavailable_and_is_over_with_it(server, store):
    assert await store.get_exact("a") is None
    server.limited = True
    with pytest.raises(StoreUnavailable, match="ResourceExhausted"):
        await store.get_exact("a")
    server.limited = False
    assert await store.get_exact("a") is None


async def test_a_collection_that_vanished_is_created_at_once(server, store):
    assert await store.get_exact("a") is None
    server.exists = False
    assert await store.get_exact("a") is None
    assert server.exists


async def test_embedded_with_a_full_disk_it_serves_what_it_has(tmp_path, monkeypatch):
    collection = QdrantCollection(dimensions=8, timeout=60.0, path=tmp_path / "qdrant")
    store = CollectionStore("qdrant", collection, max_entries=10, max_bytes=10**6, timeout=60.0)
    await store.put(ENTRY)

    def full(row):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(collection, "put", full)
    for _ in range(5):
        with pytest.raises(StoreUnavailable, match="disk is full"):
            await store.put(ENTRY)
    assert await store.get_exact("a") is not None
    await store.close()
