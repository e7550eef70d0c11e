"""TLS on waypost's own listeners, with the real Envoy on the other side of ExtProc."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAT = "/v1/chat/completions"


def chat(text: str) -> dict:
    return {"model": "MoM", "messages": [{"role": "user", "content": text}]}


def context(ours, client: dict[str, str] | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=ours.ca)
    if client:
        made.load_cert_chain(client["certificate"], client["key"])
    return made


async def healthy(address: str, ours, client: dict[str, str] | None) -> bool:
    """Ask gRPC's health service as an Envoy of the operator's own, or a probe, would."""
    pair = (Path(client["key"]).read_bytes(), Path(client["certificate"]).read_bytes()) if client else ()
    credentials = grpc.ssl_channel_credentials(ours.ca.read_bytes(), *pair)
    async with grpc.aio.secure_channel(address, credentials) as channel:
        try:
            answer = await HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            return False
    return answer.status == health_pb2.HealthCheckResponse.SERVING


async def serial(address: str, ours, client: dict[str, str]) -> str:
    """Which certificate a new connection is shown."""
    host, _, port = address.rpartition(":")
    _, writer = await asyncio.open_connection(host, port, ssl=context(ours, client), server_hostname="localhost")
    found = writer.get_extra_info("peercert")["serialNumber"]
    writer.transport.abort()
    return found


async def test_every_listener_speaks_tls_and_follows_renewed_files(serve, simple, backend, authority):
    ours, foreign = authority("ours"), authority("foreign")
    a = await backend(name="a")
    clients = {"client_ca": str(ours.ca)}
    tls = {
        "extproc": ours.issue("extproc") | clients | {"envoy": {"ca": str(ours.ca), **ours.issue("envoy")}},
        "api": ours.issue("api") | clients,
        "metrics": ours.issue("metrics"),
    }
    router = await serve(simple({"a": [a.url]}, tls=tls, observability={"logs": {"level": "debug"}}))
    extproc, api = (router.config["listeners"][name] for name in ("extproc", "api"))
    client = ours.issue("client")

    answer = await router.http.post(CHAT, json=chat("@a"))
    assert (answer.status_code, answer.headers["x-vsr-selected-decision"]) == (200, "to-a")
    assert await healthy(extproc, ours, client)
    assert not await healthy(extproc, ours, None)
    assert not await healthy(extproc, ours, foreign.issue("stranger"))
    async with httpx.AsyncClient(verify=context(ours, client), trust_env=False) as known:
        assert (await known.get(f"https://{api}/ready")).json()["status"] == "ready"
    async with httpx.AsyncClient(verify=context(ours), trust_env=False) as unknown:
        metrics = router.config["listeners"]["metrics"]
        assert "waypost_" in (await unknown.get(f"https://{metrics}/metrics")).text
        assert (await unknown.get(f"https://{metrics}/ready")).json()["status"] == "ready"  # a probe has no certificate
        with pytest.raises(httpx.TransportError):
            await unknown.get(f"https://{api}/ready")

    before = [await serial(address, ours, client) for address in (extproc, api)]
    for name in ("extproc", "api"):
        ours.issue(name)
    async with asyncio.timeout(30):
        while set(before) & {await serial(address, ours, client) for address in (extproc, api)}:
            await asyncio.sleep(0.1)
    assert (await router.http.post(CHAT, json=chat("@a"))).status_code == 200
    assert await healthy(extproc, ours, client)
