"""Settings of traces and records: what is wrong is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from waypost.config.observing import Observability

WRONG = {
    "a path": ({"tracing": {"endpoint": "http://localhost:4317/v1/traces"}}, "expected a URL with a port"),
    "no port": ({"tracing": {"endpoint": "http://localhost"}}, "expected a URL with a port"),
    "no scheme": ({"tracing": {"endpoint": "localhost:4317"}}, "expected a URL with a port"),
    "a share": ({"tracing": {"sample": 1.5}}, "less than or equal to 1"),
    "a tiny file": ({"records": {"path": "r", "max_size": "1KiB"}}, "at least 64KiB"),
    "no file": ({"records": {}}, "Field required"),
    "a word": ({"logs": {"requests": "some"}}, "'none', 'refused' or 'all'"),
}


@pytest.mark.parametrize(("value", "message"), WRONG.values(), ids=WRONG)
def test_wrong(value, message):
    with pytest.raises(ValidationError, match=message):
        Observability.model_validate(value)


def test_nothing_is_on_by_default():
    found = Observability()
    assert (found.tracing, found.records, found.logs.requests) == (None, None, "refused")


def test_an_endpoint_may_end_in_a_slash():
    assert (
        Observability.model_validate({"tracing": {"endpoint": "https://c:4317/"}}).tracing.endpoint == "https://c:4317"
    )
