"""What the dashboard needs of the server beside the API."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from waypost.config.units import HostPort
from waypost.serve.api.dashboard.near import near
from waypost.serve.api.dashboard.pages import WEB

TOKEN = "a-token-of-enough-characters"


async def test_the_page_and_its_files_may_run_nothing_but_themselves(http):
    page = await http.get("/")
    links = re.findall(r'(?:src|href)="(web/[^"]+)"', page.text)
    assert links
    for answer in (page, *[await http.get(f"/{link}") for link in links]):
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';")
        assert "unsafe" not in policy


async def test_a_file_is_sent_once(http):
    first = await http.get("/web/js/main.js")
    assert first.headers["cache-control"] == "no-cache"
    again = await http.get("/web/js/main.js", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("where", ["/web/", "/web/../py.typed", "/web/%2e%2e/py.typed", "/web/js", "/web/none.js"])
async def test_nothing_else_is_sent(http, where):
    assert (await http.get(where)).status_code == 404


async def test_every_file_is_of_a_known_kind():
    assert {path.suffix for path in WEB.rglob("*") if path.is_file()} == {".html", ".css", ".js", ".json", ".svg"}


async def test_the_pages_are_open_and_what_they_ask_for_is_not(client):
    tokens = [{"name": "reader", "env": "TOKEN", "role": "read"}]
    http = client(settings={"tokens": tokens}, environ={"TOKEN": TOKEN})
    assert (await http.get("/")).status_code == 200
    for path in ("/api/v1/records", "/api/v1/metrics", "/config/router/schema"):
        assert (await http.get(path)).status_code == 401
    assert (await http.get("/api/v1/records", headers={"authorization": f"Bearer {TOKEN}"})).status_code == 200


async def test_a_chat_needs_more_than_reading(client):
    tokens = [{"name": "reader", "env": "TOKEN", "role": "read"}]
    http = client(settings={"tokens": tokens}, environ={"TOKEN": TOKEN})
    body = {"messages": [{"role": "user", "content": "hello"}]}
    answer = await http.post("/api/v1/playground/chat", json=body, headers={"authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_role")


async def test_the_schema_is_that_of_the_command_line(http):
    from waypost.config.json_schema import json_schema

    assert (await http.get("/config/router/schema")).json() == json_schema()


async def test_the_metrics_are_those_of_the_services(client):
    answer = await client(metrics=lambda: b"waypost_workers 3.0\n").get("/api/v1/metrics")
    assert (answer.status_code, answer.text) == (200, "waypost_workers 3.0\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("listener", "url"),
    [
        (HostPort("127.0.0.1", 1), "http://127.0.0.1:1"),
        (HostPort("0.0.0.0", 1), "http://127.0.0.1:1"),
        (HostPort("::", 1), "http://[::1]:1"),
        (HostPort("router.internal", 1), "http://router.internal:1"),
    ],
)
def test_a_listener_is_reached_from_here(listener, url):
    assert near(listener) == url


async def test_without_records_there_is_no_file(http):
    assert (await http.get("/api/v1/records")).json() == {"path": None, "records": []}


@pytest.fixture
def recorded(path, tmp_path):
    """Switch records on, before the router reads its file; returns where they go."""
    file = tmp_path / "records.jsonl"
    config = yaml.safe_load(path.read_text()) | {"observability": {"records": {"path": str(file)}}}
    path.write_text(json.dumps(config))
    return file


def line(number: int) -> str:
    return json.dumps({"v": 1, "of": "abc", "id": str(number)})


HEAD = json.dumps({"v": 1, "config": "abc", "definitions": {}})

FILES = {
    "none yet": (None, None, []),
    "the newest first": ([HEAD, line(1), line(2)], None, ["2", "1"]),
    "the file before as well": ([HEAD, line(3)], [HEAD, line(1), line(2)], ["3", "2", "1"]),
    "one that is being written": ([line(1), line(2)[:9]], None, ["1"]),
    "no more than asked for": ([line(n) for n in range(9)], [line(10)], ["8", "7", "6", "5", "4"]),
}


@pytest.mark.parametrize(("now", "before", "expected"), FILES.values(), ids=FILES)
async def test_the_last_records(recorded, http, now, before, expected):
    for lines, file in ((now, recorded), (before, recorded.with_name("records.jsonl.1"))):
        if lines is not None:
            file.write_text("\n".join(lines))
    told = (await http.get("/api/v1/records", params={"limit": 5})).json()
    assert told["path"] == str(recorded)
    assert [each["id"] for each in told["records"]] == expected


async def test_a_long_file_is_read_from_its_end(recorded, http):
    recorded.write_text("\n".join(line(n) for n in range(60_000)))
    told = (await http.get("/api/v1/records", params={"limit": 2})).json()
    assert [each["id"] for each in told["records"]] == ["59999", "59998"]
