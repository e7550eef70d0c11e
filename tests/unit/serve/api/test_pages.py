"""Health, readiness, the documentation, and what errors look like."""

from __future__ import annotations

import re

import pytest

from waypost import __version__
from waypost.serve.api.status import Status


def never():
    raise AssertionError


async def test_health_asks_nobody(client):
    answer = await client(status=never, engine_now=never).get("/health")
    assert answer.json() == {"status": "healthy", "service": "waypost", "version": __version__}


@pytest.mark.parametrize(
    ("checks", "error", "code", "status"),
    [
        ({"router": True, "envoy": True}, "", 200, "ready"),
        ({"router": True, "envoy": False}, "", 503, "not ready"),
        ({"router": True}, "waypost.yaml:1:1 wrong", 200, "ready"),  # the old configuration serves
    ],
)
async def test_ready_is_the_sum_of_its_checks(client, checks, error, code, status):
    guards = {"pii": "the queue is full"}
    answer = await client(status=lambda: Status(checks, "abc", error, guards, workers=(2, 3))).get("/ready")
    assert answer.status_code == code
    assert answer.json() == {
        "status": status,
        "version": __version__,
        "config": "abc",
        "reload_error": error or None,
        "checks": checks,
        "guards": guards,
        "workers": {"alive": 2, "wanted": 3},
    }


async def test_the_documentation_loads_nothing_from_elsewhere(http):
    page = await http.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    for link in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        if not link.startswith("data:"):
            assert "//" not in link
            assert (await http.get(f"/{link}")).status_code == 200


@pytest.mark.parametrize("where", ["/docs/other.js", "/docs/../app.py", "/docs/%2e%2e/app.py"])
async def test_no_other_file_is_sent(http, where):
    assert (await http.get(where)).status_code == 404


ERRORS = {
    "no path": ("GET", "/nowhere", None, 404, "not_found"),
    "no method": ("DELETE", "/config/router", None, 405, "method_not_allowed"),
    "no json": ("POST", "/api/v1/eval", b"{", 400, "invalid_json"),
    "deep json": ("POST", "/api/v1/eval", b"[" * 100_000, 400, "invalid_json"),
    "no utf-8": ("POST", "/api/v1/eval", b'{"text": "\xff"}', 400, "invalid_json"),
    "a huge number": ("POST", "/api/v1/eval", b'{"text": ' + b"9" * 5000 + b"}", 400, "invalid_json"),
    "half a character": ("POST", "/api/v1/eval", b'{"text": "\\ud800"}', 400, "invalid_value"),
    "no object": ("POST", "/api/v1/similarity", b"[]", 400, "invalid_value"),
    "nothing": ("POST", "/api/v1/similarity", b"", 400, "invalid_value"),
    "an unknown key": ("POST", "/api/v1/similarity", b'{"text1": "a", "text2": "b", "c": 1}', 400, "invalid_value"),
    "another type": ("POST", "/api/v1/similarity", b'{"text1": "a", "text2": 1}', 400, "invalid_value"),
}


@pytest.mark.parametrize(("method", "where", "body", "status", "code"), ERRORS.values(), ids=ERRORS)
async def test_every_error_has_one_shape(http, method, where, body, status, code):
    answer = await http.request(
        method, where, content=body, headers={"content-type": "application/json"} if body else {}
    )
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert error["code"] == code


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_another_type_of_content(http, kind):
    answer = await http.post("/api/v1/eval", content=b'{"text": "hi"}', headers={"content-type": kind} if kind else {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_value")
    assert "send application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("where", "allowed"), [("/config/router", "GET, PUT"), ("/health", "GET, HEAD")])
async def test_a_refused_method_names_the_others(http, where, allowed):
    assert (await http.delete(where)).headers["allow"] == allowed


@pytest.mark.parametrize("where", ["/health", "/ready", "/"])
async def test_a_balancer_may_ask_for_the_head_only(served, where):
    http = await served()
    whole, head = await http.get(where), await http.head(where)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))


async def test_a_head_tells_that_it_is_not_ready(client):
    assert (await client(status=lambda: Status({"envoy": False}, "abc")).head("/ready")).status_code == 503


async def test_a_failure_tells_nothing_of_itself(client):
    answer = await client(engine_now=lambda: 1 / 0).get("/v1/models")
    assert answer.status_code == 500
    assert answer.json()["error"].items() >= {"type": "server_error", "code": "internal_error"}.items()
    assert "division" not in answer.text


async def test_after_a_failure_the_next_request_has_a_connection(served):
    http = await served(engine_now=lambda: 1 / 0)
    for _ in range(3):
        answer = await http.get("/v1/models")
        assert (answer.status_code, answer.headers["connection"]) == (500, "close")


@pytest.mark.parametrize("where", ["/v1/models", "/info/models", "/config/router"])
async def test_before_the_router_has_started(client, where):
    answer = await client(engine_now=lambda: None, store=lambda: None).get(where)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "starting")
