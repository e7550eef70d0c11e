"""Who may ask, and from where."""

from __future__ import annotations

import pytest

from waypost.errors import SetupError

READER, OPERATOR = "r" * 16, "o" * 16
ENVIRON = {"READER": READER, "OPERATOR": OPERATOR}
TOKENS = [{"name": "dashboard", "env": "READER"}, {"name": "ops", "env": "OPERATOR", "role": "operate"}]
OPEN = ["/health", "/ready", "/docs", "/openapi.json"]
READ = ["/api/v1", "/info/models", "/info/classifier", "/v1/models", "/config/router"]


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def guarded(client):
    return client(settings={"tokens": TOKENS}, environ=ENVIRON, address="0.0.0.0", base_url="http://router.example")


@pytest.mark.parametrize("where", OPEN)
async def test_some_pages_need_no_token(guarded, where):
    assert (await guarded.get(where)).status_code == 200


@pytest.mark.parametrize("where", READ)
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "missing_token"),
        ({"authorization": f"Basic {READER}"}, 401, "missing_token"),
        (bearer("x" * 16), 401, "invalid_token"),
        (bearer(READER), 200, None),
        (bearer(OPERATOR), 200, None),
    ],
)
async def test_all_else_needs_one(guarded, where, headers, status, code):
    answer = await guarded.get(where, headers=headers)
    assert answer.status_code == status
    if code:
        assert answer.json()["error"].items() >= {"type": "authentication_error", "code": code}.items()
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("token", "status", "code"), [(READER, 403, "insufficient_role"), (OPERATOR, 409, "revision_conflict")]
)
async def test_changing_needs_the_role_for_it(guarded, token, status, code):
    body = {"text": "version: 1", "revision": "0" * 12}
    answer = await guarded.put("/config/router", json=body, headers=bearer(token))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_reader_may_ask_the_classifiers(guarded):
    answer = await guarded.post("/api/v1/eval", json={"text": "hello"}, headers=bearer(READER))
    assert answer.status_code == 200


async def test_the_document_says_who_needs_a_token(guarded, http):
    paths = (await guarded.get("/openapi.json")).json()["paths"]
    assert {path for path, methods in paths.items() if not all("security" in m for m in methods.values())} == {
        "/health",
        "/ready",
    }
    assert "securitySchemes" not in (await http.get("/openapi.json")).json()["components"]


@pytest.mark.parametrize(
    ("others", "words"),
    [
        (
            {"address": "0.0.0.0"},
            "listeners.api is 0.0.0.0:8080, which other machines may reach, but api.tokens is empty",
        ),
        ({"address": "router.internal"}, "api.tokens is empty"),
        (
            {"settings": {"tokens": TOKENS}, "environ": {"READER": READER}},
            "the token of ops: environment variable 'OPERATOR' is not set",
        ),
        (
            {"settings": {"tokens": TOKENS}, "environ": ENVIRON | {"READER": "short"}},
            "variable 'READER' holds fewer than 16 char",
        ),
    ],
)
def test_an_api_that_anybody_could_use_does_not_start(client, others, words):
    with pytest.raises(SetupError, match=words):
        client(**others)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:8080"}, 200),
        ({"host": "localhost"}, 200),
        ({"host": "[::1]:8080"}, 200),
        ({"host": "evil.example:8080"}, 403),  # a name that was made to point to 127.0.0.1
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"host": "[::1"}, 403),
        ({"host": ""}, 403),
        ({"host": "localhost:8080", "origin": "http://localhost:8080"}, 200),
        ({"host": "localhost:8080", "origin": "http://localhost:3000"}, 403),
        ({"host": "localhost:8080", "origin": "https://evil.example"}, 403),
        ({"host": "localhost:8080", "origin": "null"}, 403),
        ({"host": "localhost:8080", "origin": ""}, 403),
    ],
)
async def test_pages_of_other_sites_stay_outside(client, address, headers, status):
    answer = await client(address=address).get("/ready", headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"]["code"] == "foreign_page"


async def test_elsewhere_the_host_may_have_any_name_but_not_the_page(guarded):
    assert (await guarded.get("/ready", headers={"host": "any.example"})).status_code == 200
    assert (await guarded.get("/ready", headers={"origin": "https://evil.example"})).status_code == 403


async def test_a_form_of_another_site_cannot_pretend_to_send_json(http):
    answer = await http.post("/api/v1/eval", content='{"text": "hello"}', headers={"content-type": "text/plain"})
    assert answer.status_code == 400


async def test_no_other_site_may_read_answers(http):
    assert "access-control-allow-origin" not in (await http.get("/ready")).headers


async def test_a_named_site_may(client):
    origin = "https://console.example"
    http = client(settings={"origins": [origin]})
    asked = {
        "origin": origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "authorization",
    }
    preflight = await http.options("/config/router", headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, origin)
    answer = await http.get("/ready", headers={"origin": origin})
    assert answer.headers["access-control-allow-origin"] == origin
