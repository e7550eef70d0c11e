"""What a real Envoy does with requests under our configuration."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

CHAT = "/v1/chat/completions"

SPOOFED = {
    "x-selected-model": "code",
    "x-gateway-destination-endpoint": "127.0.0.1:1",
    "x-vsr-selected-decision": "admin",
    "x-category": "law",
    "x-confidence": "1",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-retry-on": "5xx",
}


@pytest.mark.parametrize("body_mode", ["buffered", "full_duplex_streamed"])
async def test_the_selected_model_gets_the_request(backend, make_config, envoy, client, body_mode):
    math, code = await backend(name="math"), await backend(name="code")
    config = make_config({"math": [math.url], "code": [code.url]}, envoy={"request_body": body_mode})
    await envoy(config)
    answer = await client(config).post(CHAT, json={"model": "code", "n": 1})
    assert answer.json()["choices"][0]["message"]["content"] == "Hello from code"
    assert [request.path for request in code.requests] == [CHAT]
    assert answer.headers["x-request-id"] == code.requests[0].header("x-request-id")
    assert not math.requests


async def test_internal_headers_of_a_client_reach_nobody(backend, make_config, envoy, client, processor):
    math, code = await backend(name="math"), await backend(name="code")
    config = make_config({"math": [math.url], "code": [code.url]})
    await envoy(config)
    answer = await client(config).get("/v1/models", headers={**SPOOFED, "x-vsr-debug": "true"})
    assert answer.status_code == 200
    assert not code.requests
    for seen in (processor.seen[0], {name.lower(): value for name, value in math.requests[0].headers}):
        assert not SPOOFED.keys() & seen.keys()
        assert seen["x-vsr-debug"] == "true"
    assert not [name for name in answer.headers if name.startswith("x-envoy")]


async def test_a_client_cannot_name_the_destination(backend, make_config, envoy, client, processor):
    math, code = await backend(name="math"), await backend(name="code")
    config = make_config({"math": [math.url], "code": [code.url]}, envoy={"upstream": "original_dst"})
    await envoy(config)
    spoofed = {"x-gateway-destination-endpoint": f"127.0.0.1:{code.port}"}
    await client(config).post(CHAT, json={"model": "math"}, headers=spoofed)
    assert (len(math.requests), len(code.requests)) == (1, 0)


async def test_original_dst_goes_where_the_processor_says(backend, make_config, envoy, client, processor):
    one, two = await backend(name="one"), await backend(name="two")
    config = make_config({"math": [one.url, two.url + "/"]}, envoy={"upstream": "original_dst"})
    await envoy(config)
    processor.set_headers = lambda body: {
        "x-selected-model": "math",
        "x-gateway-destination-endpoint": f"127.0.0.1:{two.port}",
    }
    for _ in range(5):
        assert (await client(config).post(CHAT, json={})).status_code == 200
    assert (len(one.requests), len(two.requests)) == (0, 5)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/v1/chat/completions?a=1"),
        ("/openai", "/openai/v1/chat/completions?a=1"),
        ("/openai/", "/openai/v1/chat/completions?a=1"),
        ("/v1", "/v1/chat/completions?a=1"),
        ("/api/v1/", "/api/v1/chat/completions?a=1"),
    ],
)
async def test_the_path_of_an_endpoint_stands_before_v1(backend, make_config, envoy, client, path, expected):
    math = await backend()
    config = make_config({"math": [f"http://localhost:{math.port}{path}"]})
    await envoy(config)
    await client(config).post("/v1//./chat/completions?a=1", json={"model": "math"})
    assert math.requests[0].path == expected
    assert math.requests[0].header("host") == f"localhost:{math.port}"


TIDIED = (
    "/v1%2Fchat%2Fcompletions",
    "/v1%2fchat/completions",
    "/v1/chat%2f%2Fcompletions",
    "/v1%5Cchat%5ccompletions",
    "/v1\\chat\\completions",
    "//v1///chat//completions",
    "/v1/./chat/completions",
    "/v1/x/../chat/completions",
    "/v1/%2e/chat/completions",
    "/v1/x/%2E%2e/chat/completions",
    "/v1/x%2F..%2fchat/completions",
    "/v1/x%5c%2e%2e%5Cchat/completions",
    "/v1/%63hat/completion%73",
)


@pytest.mark.parametrize("body_mode", ["buffered", "full_duplex_streamed"])
async def test_no_spelling_of_a_path_walks_around_the_processor(backend, make_config, envoy, raw, processor, body_mode):
    math = await backend()
    config = make_config({"math": [math.url]}, envoy={"request_body": body_mode})
    await envoy(config)
    body = b'{"model": "math"}'
    rest = f"?next=%2Fa%5Cb//c HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    expected = f"{CHAT}?next=%2Fa%5Cb//c"
    for path in TIDIED:
        head, _ = await raw(config, f"POST {path}{rest}".encode() + body)
        assert head.startswith(b"HTTP/1.1 200 "), path
        assert (path, processor.seen[-1][":path"], math.requests[-1].path) == (path, expected, expected)
    assert len(processor.seen) == len(math.requests) == len(TIDIED)


@pytest.mark.parametrize("body_mode", ["buffered", "full_duplex_streamed"])
async def test_http_1_0_is_spoken(backend, make_config, envoy, raw, body_mode):
    math = await backend()
    config = make_config({"math": [math.url]}, envoy={"request_body": body_mode})
    await envoy(config)

    async def post(body: bytes) -> tuple[bytes, bytes]:
        length = len(body)
        return await raw(
            config, b"POST %b HTTP/1.0\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (CHAT.encode(), length, body)
        )

    head, answer = await post(b'{"model": "math"}')
    assert head.startswith(b"HTTP/1.0 200 ")
    assert json.loads(answer)["choices"][0]["message"]["content"] == "Hello from backend"
    head, answer = await post(b'{"model": "math", "stream": true}')
    assert head.startswith(b"HTTP/1.0 200 ")
    assert b"transfer-encoding" not in head.lower()  # it ends where the connection does
    events = answer.decode().strip().split("\n\n")
    assert len(events) == len(math.pieces) + 1
    assert events[-1] == "data: [DONE]"


async def test_a_client_that_does_not_read_costs_little(backend, make_config, envoy):
    math = await backend(answer={"text": "x" * (64 * 2**20)})
    config = make_config({"math": [math.url]})
    process = await envoy(config)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    client.connect(config.listeners.http)
    with client:
        client.sendall(b"GET /v1/files/a/content HTTP/1.1\r\nhost: x\r\n\r\n")
        paused, read = (
            f"cluster.model_math.{name}"
            for name in ("upstream_flow_control_paused_reading_total", "upstream_cx_rx_bytes_total")
        )
        async with asyncio.timeout(60):
            while not (await process.admin.stats([paused])).get(paused):
                await asyncio.sleep(0.02)
        # From here on Envoy reads no more of the answer. The kernel's buffers are in this.
        assert (await process.admin.stats([read]))[read] < 16 * 2**20


async def test_weights_share_the_requests(backend, make_config, envoy, client):
    light, heavy = await backend(), await backend()
    config = make_config({"math": [{"url": light.url, "weight": 1}, {"url": heavy.url, "weight": 4}]})
    await envoy(config)
    for _ in range(50):
        await client(config).post(CHAT, json={"model": "math"})
    assert len(light.requests) + len(heavy.requests) == 50
    assert 35 <= len(heavy.requests) <= 45


async def test_a_dead_endpoint_is_covered_by_the_other(backend, make_config, envoy, client, free_port):
    alive = await backend()
    config = make_config({"math": [f"http://127.0.0.1:{free_port()}", alive.url]})
    await envoy(config)
    answers = [await client(config).post(CHAT, json={"model": "math"}) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 10


async def test_a_request_that_reached_a_backend_is_not_repeated(backend, make_config, envoy, client):
    broken, alive = await backend(reset=True), await backend()
    config = make_config({"math": [broken.url, alive.url]})
    await envoy(config)
    # Envoy draws two endpoints at random and takes the less busy one: in so many draws, both have their turn.
    answers = [await client(config).post(CHAT, json={"model": "math"}) for _ in range(40)]
    failed = [answer for answer in answers if answer.status_code != 200]
    assert len(failed) == len(broken.requests) >= 1
    assert len(broken.requests) + len(alive.requests) == 40


async def test_health_checks_use_the_path_of_the_endpoint(backend, make_config, envoy, client):
    math = await backend()
    check = {"health_check": {"path": "/health", "interval": "1s", "timeout": "1s"}}
    config = make_config({"math": [f"{math.url}/openai"]}, math=check)
    await envoy(config)
    await math.wait_for(1)
    assert math.requests[0].path == "/openai/health"
    assert math.requests[0].header("host") == f"127.0.0.1:{math.port}"


async def test_a_passing_health_check_does_not_take_back_what_fails(backend, make_config, envoy, client):
    failing, alive = await backend(), await backend()

    def answer(request):
        failing.status = 200 if request.path == "/health" else 500
        return {}

    failing.answer = answer
    check = {"health_check": {"path": "/health", "interval": "1s", "timeout": "1s"}}
    ejecting = {"outlier_detection": {"consecutive_5xx": 2, "base_ejection_time": "600s"}}
    config = make_config({"math": [failing.url, alive.url]}, math=check, envoy=ejecting)
    await envoy(config)
    statuses = [(await client(config).post(CHAT, json={"model": "math"})).status_code for _ in range(40)]
    assert 2 <= statuses.count(500) <= 4  # another thread ejects it, when it comes to that
    await failing.wait_for(len(failing.requests) + 3)  # health checks; each of them passes
    statuses = [(await client(config).post(CHAT, json={"model": "math"})).status_code for _ in range(20)]
    assert statuses == [200] * 20


async def test_sse_passes_live(backend, make_config, envoy, client):
    gate = asyncio.Event()
    math = await backend(gates={1: gate})
    config = make_config({"math": [math.url]}, envoy={"request_body": "full_duplex_streamed"})
    await envoy(config)
    async with client(config).stream("POST", CHAT, json={"model": "math", "stream": True}) as answer:
        lines = answer.aiter_lines()
        first = json.loads((await anext(lines)).removeprefix("data: "))
        gate.set()  # only now may the rest come: the first piece was not held back
        rest = [line async for line in lines if line]
    assert first["choices"][0]["delta"]["content"] == "Hello"
    assert rest[-1] == "data: [DONE]"


async def test_a_client_that_leaves_frees_the_backend(backend, make_config, envoy, client):
    math = await backend(gates={1: asyncio.Event()})
    config = make_config({"math": [math.url]})
    await envoy(config)
    async with client(config).stream("POST", CHAT, json={"model": "math", "stream": True}) as answer:
        await anext(answer.aiter_lines())
    await math.aborted.wait()


async def test_silence_is_limited_and_a_live_answer_is_not(backend, make_config, envoy, client):
    gates = {number: asyncio.Event() for number in range(5)}
    math, mute = await backend(gates=gates), await backend(before=asyncio.Event())
    config = make_config({"math": [math.url], "mute": [mute.url]}, envoy={"request_timeout": "2s"})
    await envoy(config)

    async def open_slowly() -> None:
        for gate in gates.values():
            await asyncio.sleep(0.5)  # the time itself is the subject: 2.5 s in all, never 2 s of silence
            gate.set()

    opening = asyncio.create_task(open_slowly())
    alive = await client(config).post(CHAT, json={"model": "math", "stream": True})
    await opening
    assert alive.text.endswith("data: [DONE]\n\n")
    silent = await client(config).post(CHAT, json={"model": "mute"})
    assert (silent.status_code, silent.json()["error"]["code"]) == (504, "backend_timeout")
    assert len(mute.requests) == 1
