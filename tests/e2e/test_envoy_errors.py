"""What a client sees when something is wrong: Envoy's own errors in OpenAI's shape, the processor's as they are."""

from __future__ import annotations

import asyncio
import json

import pytest

from waypost.serve.extproc.proto import extproc_pb2 as pb

CHAT = "/v1/chat/completions"


def shape(answer) -> tuple[int, str, str | None]:
    """Status, type and code; fails unless the answer is OpenAI's error object and nothing else."""
    assert answer.headers["content-type"] == "application/json"
    (error,) = answer.json().values()
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["param"] is None
    assert error["message"].endswith(".")
    assert "%" not in error["message"]
    return answer.status_code, error["type"], error["code"]


async def test_no_backend_is_a_503_that_names_the_model(make_config, envoy, client, free_port):
    config = make_config({"math": [f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"]})
    await envoy(config)
    answer = await client(config).post(CHAT, json={"model": "math"})
    assert shape(answer) == (503, "server_error", "backend_unavailable")
    assert "model math" in answer.json()["error"]["message"]


async def test_a_name_that_does_not_resolve_is_a_503(make_config, envoy, client):
    config = make_config({"math": ["http://no-such-host.invalid"]})
    await envoy(config)
    answer = await client(config).post(CHAT, json={"model": "math"})
    assert shape(answer) == (503, "server_error", "backend_unavailable")


@pytest.mark.parametrize("body_mode", ["buffered", "full_duplex_streamed"])
async def test_without_the_processor_requests_are_rejected(backend, make_config, envoy, client, processor, body_mode):
    math = await backend()
    # Envoy's pauses between its attempts are random; each attempt has to fit.
    config = make_config({"math": [math.url]}, envoy={"request_body": body_mode, "message_timeout": "1s"})
    await envoy(config)
    await processor.stop()
    answer = await client(config).post(CHAT, json={"model": "math"})
    assert shape(answer) == (503, "server_error", "router_unavailable")
    assert not math.requests


async def test_without_the_processor_requests_can_pass_to_the_default_model(
    backend, make_config, envoy, client, processor
):
    math, code = await backend(), await backend()
    config = make_config({"math": [math.url], "code": [code.url]}, envoy={"on_processor_failure": "pass"})
    await envoy(config)
    await processor.stop()
    answer = await client(config).post(CHAT, json={"model": "code"}, headers={"x-selected-model": "code"})
    assert answer.status_code == 200
    assert math.requests[0].json == {"model": "code"}
    assert not code.requests


async def test_a_slow_processor_is_a_504(backend, make_config, envoy, client, processor):
    never = asyncio.Event()
    math = await backend()
    config = make_config({"math": [math.url]}, envoy={"message_timeout": "200ms"})
    await envoy(config)
    processor.before_body = never
    answer = await client(config).post(CHAT, json={"model": "math"})
    assert shape(answer) == (504, "server_error", "router_timeout")


@pytest.mark.parametrize("limit", [64 * 1024, 3 * 2**20])  # below and above what Envoy holds of a connection
@pytest.mark.parametrize("more, status", [(0, 200), (1, 413)])
async def test_the_body_limit_is_exact(backend, make_config, envoy, client, limit, more, status):
    math = await backend()
    config = make_config({"math": [math.url]}, envoy={"max_request_body": f"{limit // 1024}KiB"})
    await envoy(config)
    body = b'{"model": "math"}'.ljust(limit + more)
    answer = await client(config).post(CHAT, content=body)
    assert answer.status_code == status
    if status == 413:
        assert shape(answer) == (413, "invalid_request_error", "request_too_large")
    else:
        assert math.requests[0].body == body


@pytest.mark.parametrize("body_mode", ["buffered", "full_duplex_streamed"])
async def test_a_large_body_passes_whole(backend, make_config, envoy, client, body_mode):
    math = await backend()
    config = make_config({"math": [math.url]}, envoy={"request_body": body_mode})
    await envoy(config)
    body = b'{"model": "math"}'.ljust(20 * 2**20)
    assert (await client(config).post(CHAT, content=body)).status_code == 200
    assert math.requests[0].body == body


@pytest.mark.parametrize("details", ["", "waypost_guard"])
async def test_an_answer_of_the_processor_is_not_touched(backend, make_config, envoy, client, processor, details):
    math = await backend()
    config = make_config({"math": [math.url]})
    await envoy(config)
    plain = pb.HeaderValueOption(header=pb.HeaderValue(key="content-type", raw_value=b"text/plain"))
    immediate = pb.ImmediateResponse(
        status=pb.HttpStatus(code=503),
        body=b"as it is",
        details=details,
        headers=pb.HeaderMutation(set_headers=[plain]),
    )
    processor.on_headers = lambda _: pb.ProcessingResponse(immediate_response=immediate)
    answer = await client(config).post(CHAT, json={})
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (503, "as it is", "text/plain")


async def test_an_error_of_the_backend_is_not_touched(backend, make_config, envoy, client):
    math = await backend(status=503, answer={"theirs": True})
    config = make_config({"math": [math.url]})
    await envoy(config)
    answer = await client(config).post(CHAT, json={"model": "math"})
    assert (answer.status_code, answer.json()) == (503, {"theirs": True})
    assert len(math.requests) == 1


MALFORMED = {
    "message": "The HTTP request is malformed.",
    "type": "invalid_request_error",
    "param": None,
    "code": None,
}


async def test_malformed_http_is_answered_in_shape(backend, make_config, envoy, raw):
    math = await backend()
    config = make_config({"math": [math.url]})
    await envoy(config)
    head, body = await raw(config, b"GET / HTTP/1.1\r\n\r\n")  # without a host
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body) == {"error": MALFORMED}


@pytest.mark.parametrize("body_mode", ["buffered", "full_duplex_streamed"])
@pytest.mark.parametrize("path", [f"{CHAT}%0A", f"{CHAT}%0a?x=%20", "/v1/%00models", "/v1/models%7F", "/%1b"])
async def test_a_path_with_control_characters_is_refused(backend, make_config, envoy, client, body_mode, path):
    # For a server whose routes overlook a newline at the end, such a path is one that guards should have read.
    math = await backend()
    config = make_config({"math": [math.url]}, envoy={"request_body": body_mode})
    await envoy(config)
    answer = await client(config).post(path, json={"model": "math"})
    assert (answer.status_code, answer.json()) == (400, {"error": MALFORMED})
    assert (await client(config).post("/v1/%20%C3%A9?x=%0A", json={"model": "math"})).status_code == 200
    assert [request.path for request in math.requests] == ["/v1/%20%C3%A9?x=%0A"]
