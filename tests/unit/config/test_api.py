"""The section ``api``."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from waypost.config.api import ApiConfig, is_loopback


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"tokens": [{"name": "me", "env": "sk-very-secret"}]}, "not the token itself"),
        ({"tokens": [{"name": "me", "env": "TOKEN", "role": "root"}]}, "'read' or 'operate'"),
        ({"origins": ["*"]}, "pattern"),
        ({"origins": ["https://a.example/"]}, "pattern"),
        ({"max_body": "1B"}, "between 1KiB and 64MiB"),
        ({"requests_per_minute": 0}, "greater than or equal to 1"),
    ],
)
def test_what_is_refused(section, words):
    with pytest.raises(ValidationError, match=words) as caught:
        ApiConfig.model_validate(section)
    assert all("sk-very-secret" not in mistake["msg"] for mistake in caught.value.errors())


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback(host, local):
    assert is_loopback(host) is local
