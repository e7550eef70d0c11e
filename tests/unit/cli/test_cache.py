"""``waypost cache``: a running router's API, asked over TLS; and pairs alike to any encoder, so words alone decide."""

from __future__ import annotations

import csv
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from waypost.inference.encoder import Encoding
from waypost.inference.manifest import Manifest


class Alike:
    """All texts have one embedding."""

    manifest = Manifest("alike", 2, 0, (), "", "mean", "none", (), {})

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        vector = np.array([1.0, 0.0], np.float32)
        return Encoding(vector, vector[:0], 1, 1, 0, 0.0)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def opened(_: object) -> Iterator[Alike]:
        yield Alike()

    monkeypatch.setattr("waypost.learn.served.open_encoder", opened)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Paraphrases, and lookalikes with another number: the checks refuse those."""
    path = tmp_path / "pairs.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "label"])
        for number in range(40):
            writer.writerow([f"How do I reset my router {number}?", f"How can I reset my router {number}?", 1])
            writer.writerow([f"How do I reset my router {number}?", f"How do I reset my router {number + 40}?", 0])
    return path


@pytest.fixture
def lookalikes(pairs: Path) -> Path:
    """The same, and paraphrases that are wrong all the same: only the similarity can refuse those."""
    with pairs.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for number in range(24):
            writer.writerow([f"How do I reset my phone {number}?", f"How can I reset my phone {number}?", 0])
    return pairs


def test_it_chooses_what_the_pairs_prove_and_shows_the_curve(waypost: Callable, lookalikes: Path) -> None:
    arguments = ("cache", "calibrate", "--pairs", lookalikes, "--max-wrong", "0.5")
    result = waypost(*arguments, "--json")
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    assert (figures["wrong_hit_rate"], figures["hit_rate"], figures["lookalikes"]) == (0.375, 1.0, 24)
    assert figures["wrong_hit_rate_at_most"] <= 0.5
    assert figures["curve"][0] == {"threshold": 0.5, "hit_rate": 1.0, "wrong_hit_rate": 0.375}
    shown = waypost(*arguments).out
    assert "at the similarity" in shown
    assert "0.95" in shown
    assert f"similarity: {figures['similarity']:g}" in shown


def test_checks_that_refuse_every_lookalike_do_not_lower_the_similarity(waypost: Callable, pairs: Path) -> None:
    arguments = ("cache", "calibrate", "--pairs", pairs, "--max-wrong", "0.1")
    figures = json.loads(waypost(*arguments, "--json").out)
    assert (figures["similarity"], figures["lookalikes"]) == (figures["similarity_shipped"], 0)
    shown = waypost(*arguments).out
    assert "keep the shipped similarity: the checks did all the work. Of 40 pairs labelled 0 they leave 0" in shown
    assert "put it into" not in shown


@pytest.mark.parametrize("value", ["", " "])
@pytest.mark.parametrize("option", ["--user", "--decision", "--text"])
def test_an_empty_variable_does_not_drop_everything(waypost: Callable, option: str, value: str) -> None:
    refused = waypost("cache", "clear", option, value)
    assert (refused.code, f"{option} is empty; leave it out if everything is meant" in refused.err) == (2, True)


ANSWERS = {
    "a proxy's page": (502, b"<html>502 Bad Gateway</html>", "answers 502 Bad Gateway, but not as a router does"),
    "a page that is fine": (200, b"<html>Welcome</html>", "answers 200 OK, but not as a router does"),
    "another program's": (404, b'{"detail":"Not Found"}', "answers 404 Not Found, but not as a router does"),
    "other JSON": (200, b"[1]", "answers 200 OK, but not as a router does"),
    "an error of another shape": (500, b'{"error":"broken"}', "answers 500 Internal Server Error, but not as a router"),
    "nothing": (200, b"", "answers 200 OK, but not as a router does"),
    "the router": (409, b'{"error":{"message":"Nothing is cached"}}', "/api/v1/cache/stats: Nothing is cached"),
}


@pytest.fixture
def answering() -> Iterator[Callable[[int, bytes], str]]:
    """``url = answering(502, b"…")``: something that says this to everybody."""
    told: dict[str, tuple[int, bytes]] = {}

    class Told(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = told["answer"]
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    def serve(status: int, body: bytes) -> str:
        told["answer"] = (status, body)
        return f"http://127.0.0.1:{server.server_port}"

    with HTTPServer(("127.0.0.1", 0), Told) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield serve
        server.shutdown()
        serving.join()


@pytest.mark.parametrize(("status", "body", "said"), ANSWERS.values(), ids=ANSWERS)
def test_what_is_no_router_is_told_in_one_line(
    waypost: Callable, answering: Callable, status: int, body: bytes, said: str
) -> None:
    told = waypost("cache", "stats", "--api", answering(status, body))
    assert (told.code, said in told.err, told.err.count("\n")) == (3, True, 1)


def test_clearing_asks_for_what_is_named(waypost: Callable, answering: Callable) -> None:
    told = waypost("cache", "clear", "--user", "ann", "--api", answering(200, b'{"dropped": 2}'))
    assert (told.code, told.out) == (0, "dropped 2 entries\n")
    assert waypost("cache", "clear", "--api", answering(200, b'{"entries": 2}')).code == 3


@pytest.mark.parametrize("api", ["http://[::1", "nonsense", "http://127.0.0.1:1"])
def test_where_nothing_listens(waypost: Callable, api: str) -> None:
    told = waypost("cache", "stats", "--api", api)
    assert (told.code, "no router answers at" in told.err, told.err.count("\n")) == (3, True, 1)


def test_too_few_pairs_choose_nothing(waypost: Callable, pairs: Path) -> None:
    result = waypost("cache", "calibrate", "--pairs", pairs, "--max-wrong", "0.01")
    assert result.code == 1
    assert 'needs at least 299 "label": 0 rows without an error; the file has 40' in result.err


@pytest.mark.parametrize("share", ["0", "1", "-0.1", "2"])
def test_a_budget_is_a_share(waypost: Callable, pairs: Path, share: str) -> None:
    result = waypost("cache", "calibrate", "--pairs", pairs, "--max-wrong", share)
    assert result.code == 2
    assert "between 0 and 1" in result.err


class Api(BaseHTTPRequestHandler):
    """Repeats the token that it is given."""

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "token": self.headers["authorization"], "entries": 0}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api(authority: Callable) -> Iterator[tuple[str, Path]]:
    """Where it listens, and who has signed for it."""
    ours = authority("ours")
    pair = ours.issue("api")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair["certificate"], pair["key"])
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield f"https://127.0.0.1:{server.server_port}", ours.ca
        server.shutdown()
        serving.join()


def test_a_token_from_a_file_goes_over_tls(waypost: Callable, api: tuple[str, Path], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("sesame\n")
    url, ca = api
    told = waypost("cache", "stats", "--api", url, "--ca", ca, "--token-file", tmp_path / "token", "--json")
    assert json.loads(told.out) == {"path": "/api/v1/cache/stats", "token": "Bearer sesame", "entries": 0}


def test_a_stranger_is_told_no_token(waypost: Callable, api: tuple[str, Path], tmp_path: Path) -> None:
    refused = waypost("cache", "stats", "--api", api[0])
    assert (refused.code, "certificate" in refused.err.lower()) == (3, True)
    for option, reason in (("--token-file", "cannot be read"), ("--ca", "holds no authority in PEM")):
        refused = waypost("cache", "stats", "--api", api[0], option, tmp_path / "absent")
        assert (refused.code, reason in refused.err) == (3, True)
