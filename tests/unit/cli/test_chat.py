"""``waypost chat``, against an address that only refuses; a running router is for tests/e2e."""

from __future__ import annotations

import http.server
import io
import json
import threading

import pytest


def test_no_router_is_exit_code_3(waypost, unused_tcp_port):
    result = waypost("chat", "hello", "--url", f"http://127.0.0.1:{unused_tcp_port}")
    assert (result.code, result.out) == (3, "")
    assert "start the router with: waypost serve" in result.err


@pytest.fixture
def router():
    """A server that answers every POST as told, and remembers what it was asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            status, body = answers.pop(0)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.send_header("x-vsr-selected-decision", "general")
            self.send_header("x-vsr-selected-model", "small")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    asked: list = []
    answers: list[tuple[int, bytes]] = []
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", answers, asked
        server.shutdown()
        serving.join()


def sse(*pieces: str) -> bytes:
    events = [json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in pieces]
    return "".join(f"data: {event}\n\n" for event in [*events, '{"choices": []}', "[DONE]"]).encode()


def test_the_answer_goes_to_stdout_and_the_choice_to_stderr(waypost, router):
    url, answers, asked = router
    answers.append((200, sse("Hel", "lo")))
    result = waypost("chat", "hi", "--url", url, "--model", "auto", "--system", "Be brief.")
    assert result == (0, "Hello\n", "[decision=general model=small]\n")
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    assert asked == [{"model": "auto", "messages": messages, "stream": True}]


def test_a_conversation_remembers_and_ends_with_an_empty_line(waypost, router, monkeypatch):
    url, answers, asked = router
    answers += [(200, sse("One")), (200, sse("Two"))]
    monkeypatch.setattr("sys.stdin", io.StringIO("first\nsecond\n\nthird\n"))
    result = waypost("chat", "--url", f"{url}/")
    assert (result.code, result.out) == (0, "One\nTwo\n")
    said = [(message["role"], message["content"]) for message in asked[1]["messages"]]
    assert said == [("user", "first"), ("assistant", "One"), ("user", "second")]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "No backend."}}', "HTTP 503: No backend."),
        (b"upstream gone", "HTTP 503: upstream gone"),
        (b'["?"]', 'HTTP 503: ["?"]'),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(waypost, router, body, said):
    url, answers, _ = router
    answers.append((503, body))
    result = waypost("chat", "hi", "--url", url)
    assert result == (1, "", f"waypost: {said}\n")
