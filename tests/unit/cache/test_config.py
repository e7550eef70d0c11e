import pytest
from pydantic import ValidationError

from waypost.config.caching import CacheConfig


@pytest.mark.parametrize(
    "settings, header",
    [
        ({}, "authorization"),
        ({"user_header": "x-user-id"}, "x-user-id"),
        ({"scope": "tenant", "tenant_header": "x-tenant"}, "x-tenant"),
        ({"scope": "global"}, None),
    ],
)
def test_who_the_owner_is(settings, header):
    assert CacheConfig(**settings).owner_header == header


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"scope": "tenant"}, "needs tenant_header"),
        ({"max_answer": "1GiB"}, "must not be larger than max_bytes"),
        ({"max_answer": "9MiB"}, "must not be larger than 8MiB"),
        ({"max_bytes": "1KB", "max_answer": "1B"}, "at least 1MiB"),
        ({"similarity": 1.5}, "less than or equal to 1"),
        ({"user_header": "X-User"}, "pattern"),
        ({"ttl": "0s"}, "longer than 0s"),
    ],
)
def test_mistakes_are_told(settings, message):
    with pytest.raises(ValidationError, match=message):
        CacheConfig(**settings)
