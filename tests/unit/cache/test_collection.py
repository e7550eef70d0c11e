import numpy as np
import pytest

from waypost.cache.entry import Entry
from waypost.cache.store.base import Selector, StoreUnavailable
from waypost.cache.store.collection import CollectionStore


class Gone(Exception):
    pass


class Rows:
    """A database that somebody else may drop, and that may fail."""

    down = refused = ()
    embedded = True
    dimensions = 2

    def __init__(self):
        self.rows = {}
        self.created = 0
        self.error = None
        self._known = False

    def open(self):
        if self.error is not None:
            raise self.error
        if self.rows is None and self._known:
            raise Gone
        if not self._known:
            self.rows, self._known = {}, True
            self.created += 1

    def gone(self, error):
        return isinstance(error, Gone)

    def forget(self):
        self._known = False

    def get(self, key):
        self.open()
        return self.rows[key].data if key in self.rows else None

    def nearest(self, partition, vector, k, now):
        self.open()
        return [(1.0, row.data) for row in self.rows.values()]

    def put(self, row):
        self.open()
        self.rows[row.key] = row

    def listed(self, labels):
        self.open()
        return []

    def delete(self, keys):
        self.open()

    def close(self):
        pass


ENTRY = Entry("a", "p", "q", b"x", "chat", 0.0, 100.0, "d", "m", "o", np.array([0.6, 0.8], np.float16))
CALLS = {
    "get": lambda store: store.get_exact("a"),
    "search": lambda store: store.search("p", np.array([0.6, 0.8]), 8),
    "put": lambda store: store.put(ENTRY),
    "invalidate": lambda store: store.invalidate(Selector()),
    "stats": lambda store: store.stats(),
}


@pytest.fixture
def rows():
    return Rows()


@pytest.fixture
async def store(rows):
    store = CollectionStore("rows", rows, max_entries=10, max_bytes=10**6, timeout=60.0, clock=lambda: 1.0)
    yield store
    await store.close()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("error", [RuntimeError("already accessed"), KeyError("odd"), Gone()])
async def test_whatever_the_driver_raises_says_unavailable(store, rows, call, error):
    rows.error = error
    with pytest.raises(StoreUnavailable):
        await call(store)
    rows.error = None
    await call(store)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_what_was_dropped_is_created_within_the_same_call(store, rows, call):
    await store.put(ENTRY)
    rows.rows = None
    await call(store)
    assert rows.created == 2


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_after_its_end_it_is_unavailable(rows, call):
    store = CollectionStore("rows", rows, max_entries=10, max_bytes=10**6, timeout=60.0)
    await store.close()
    with pytest.raises(StoreUnavailable):
        await call(store)
