import pytest

from waypost.cache.directives import directives


@pytest.mark.parametrize(
    "header, lookup, store",
    [
        ("", True, True),
        ("max-age=0", True, True),
        ("no-cache", False, True),
        ("No-Cache, max-age=0", False, True),
        ("no-store", False, False),
        ("no-cache,no-store", False, False),
        ("no-store=1", False, False),
        ("x-no-store", True, True),
    ],
)
def test_reads_cache_control(header, lookup, store):
    assert directives(header) == (lookup, store)
