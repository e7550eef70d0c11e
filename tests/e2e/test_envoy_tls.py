"""https endpoints: the server's name is asked for, and its certificate is checked."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from waypost.config.tls import TlsConfig
from waypost.config.units import HostPort
from waypost.serve.envoy.process import EnvoyProcess

CHAT = "/v1/chat/completions"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@dataclass
class Identity:
    """A self-signed certificate, and a server context that notes the names that clients ask for."""

    certificate: Path
    context: ssl.SSLContext
    names: list[str | None] = field(default_factory=list)


@pytest.fixture
def identity(tmp_path):
    def make(names: str) -> Identity:
        certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        subject = ["-subj", "/CN=test", "-addext", f"subjectAltName={names}"]
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        target = ["-keyout", str(key), "-out", str(certificate)]
        command = ["openssl", "req", "-x509", "-nodes", "-days", "2", *curve, *subject, *target]
        subprocess.run(command, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        made = Identity(certificate, context)
        context.sni_callback = lambda _socket, name, _context: made.names.append(name)
        return made

    return make


@pytest.mark.parametrize(
    ("subject", "host", "trusted", "status"),
    [
        ("DNS:localhost", "localhost", True, 200),
        ("DNS:localhost", "localhost", False, 503),
        ("DNS:other.example", "localhost", True, 503),
        ("IP:127.0.0.1", "127.0.0.1", True, 200),
        ("DNS:localhost", "127.0.0.1", True, 503),
    ],
)
async def test_the_certificate_decides(
    backend, make_config, envoy, client, identity, monkeypatch, subject, host, trusted, status
):
    server = identity(subject)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    math = await backend(tls=server.context)
    config = make_config({"math": [f"https://{host}:{math.port}/openai"]})
    await envoy(config)
    answer = await client(config).post(CHAT, json={"model": "math"})
    assert answer.status_code == status
    if host == "localhost":
        assert set(server.names) == {"localhost"}
    if status == 200:
        assert math.requests[0].path == f"/openai{CHAT}"
    else:
        assert answer.json()["error"]["code"] == "backend_unavailable"
        assert not math.requests


async def test_envoy_shows_its_renewed_certificate_to_the_processor(
    run_dir, make_config, client, authority, unused_tcp_port
):
    ours = authority("ours")
    shown: list[str] = []

    def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown.append(writer.get_extra_info("peercert")["serialNumber"])
        writer.transport.abort()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ours.ca)
    context.load_cert_chain(*ours.issue("server").values())
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    server = await asyncio.start_server(meet, "127.0.0.1", unused_tcp_port, ssl=context)
    tls = ours.issue("server") | {"client_ca": str(ours.ca), "envoy": {"ca": str(ours.ca), **ours.issue("envoy")}}
    config = make_config({"math": ["http://127.0.0.1:1"]})
    config = config.model_copy(update={"tls": TlsConfig.model_validate({"extproc": tls})})
    envoy = await EnvoyProcess.start(run_dir, config, [HostPort("127.0.0.1", unused_tcp_port)])
    try:
        async with server, asyncio.timeout(60):
            assert (await client(config).post(CHAT, json={"model": "math"})).status_code >= 500
            assert shown
            ours.issue("envoy")
            while len(set(shown)) == 1:
                await client(config).post(CHAT, json={"model": "math"})
    finally:
        await envoy.kill()
