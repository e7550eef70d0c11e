"""The OpenAPI document is true: schemathesis, which believes it, finds nothing."""

from __future__ import annotations

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

from waypost.serve.api.app import api_app

TOKEN = "a-token-of-enough-characters"


@pytest.fixture
def schema(services):
    """The API as somebody with a token finds it."""
    tokens = [{"name": "me", "env": "TOKEN", "role": "operate"}]
    app = api_app(services(settings={"tokens": tokens, "requests_per_minute": 10**6}), {"TOKEN": TOKEN})
    generation = {"max-examples": 6, "deterministic": True, "no-shrink": True, "database": "none"}
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "generation": generation,
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["2xx", 404, 409, 422]}
            },  # a text, but no YAML
            "headers": {"Host": "localhost", "Authorization": f"Bearer {TOKEN}"},
        }
    )
    return schemathesis.openapi.from_asgi("/openapi.json", app, config=config, headers={"host": "localhost"})


@pytest.mark.timeout(300)  # fifteen seconds of a core of its own
def test_schemathesis_finds_nothing(schema):
    tried, found = set(), []
    for event in from_schema(schema).execute():
        match event:
            case ScenarioFinished(recorder=recorder):
                tried |= {case.value.operation.label for case in recorder.cases.values()}
                found += failures(recorder)
            case FatalError() | NonFatalError():
                found.append(repr(event))
    assert not found
    assert tried >= {operation.ok().label for operation in schema.get_all_operations()}


def failures(recorder):
    """What was asked, what came back, and what is wrong with it."""
    for key, checks in recorder.checks.items():
        case, told = recorder.cases[key].value, recorder.interactions[key].response
        asked = f"{case.operation.label} {case.body!r:.200} → {told.content[:200]!r}"
        yield from (f"{asked}: {check.failure_info.failure}" for check in checks if check.failure_info)
