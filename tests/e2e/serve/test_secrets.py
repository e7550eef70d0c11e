"""No secret is ever shown: each source holds one that can be told apart, and everything that waypost says is read."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAT = "/v1/chat/completions"
CANARY = "canary-7f3a9c"
PATHS = ("/config/router", "/info/classifier", "/info/models", "/api/v1/cache/stats", "/ready", "/nothing")


def canary(name: str) -> str:
    return f"{CANARY}-{name}-0123456789"


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """One secret of each kind, in the environment and in files; the caches' server does not exist."""
    for name in ("key", "token"):
        monkeypatch.setenv(f"CANARY_{name.upper()}", canary(f"env-{name}"))
        (tmp_path / name).write_text(canary(f"file-{name}") + "\n")
    url = f"redis://user:{canary('url')}@127.0.0.1:1/0"
    monkeypatch.setenv("CANARY_URL", url)
    (tmp_path / "url").write_text(url)
    return tmp_path


def chat(model: str) -> dict:
    return {"model": model, "messages": [{"role": "user", "content": "@a"}]}


def config(simple, directory: Path, urls: dict[str, str], **cache: str) -> dict:
    made = simple({name: [url] for name, url in urls.items()}, routing={"explicit_models": "pass"})
    made["models"]["a"]["api_key_env"] = "CANARY_KEY"
    made["models"]["b"]["api_key_file"] = str(directory / "key")
    tokens = [
        {"name": "one", "env": "CANARY_TOKEN", "role": "operate"},
        {"name": "two", "file": str(directory / "token")},
    ]
    return made | {
        "api": {"tokens": tokens},
        "cache": {"backend": "redis", "similar": False, **cache},
        "observability": {"logs": {"level": "debug", "requests": "all"}},
    }


async def test_no_output_shows_a_secret(serve, simple, backend, sources, waypost_command):
    pytest.importorskip("redis")
    a, b = await backend(name="a"), await backend(name="b")
    written = config(simple, sources, {"a": a.url, "b": b.url}, url_file=str(sources / "url"))
    literal = written | {"cache": {"backend": "redis", "url": os.environ["CANARY_URL"]}}
    router = await serve(written)
    shown = [await command(waypost_command, "check", "--config", router.path, "--envoy")]
    shown.append(await command(waypost_command, "config", "show", "--config", router.path))

    for name, answering in (("a", a), ("b", b)):
        assert (await router.http.post(CHAT, json=chat(name), headers={"x-vsr-debug": "true"})).status_code == 200
        assert CANARY in (answering.requests[-1].header("authorization") or "")  # it is in use
    rotated = canary("rotated")
    (sources / "new").write_text(rotated)
    (sources / "new").replace(sources / "key")
    async with asyncio.timeout(30):
        while b.requests[-1].header("authorization") != f"Bearer {rotated}":
            await router.http.post(CHAT, json=chat("b"))
    await a.stop()
    shown.append(repr((await router.http.post(CHAT, json=chat("a"))).headers))

    api = router.address("api")
    for token in (canary("env-token"), canary("file-token")):
        headers = {"authorization": f"Bearer {token}"}
        shown += [(await router.http.get(f"{api}{path}", headers=headers)).text for path in PATHS]
        text = {"text": json.dumps(literal)}
        shown.append((await router.http.post(f"{api}/config/router/validate", json=text, headers=headers)).text)
    assert json.loads(shown[3])["config"]["models"]["a"]["api_key_env"] == "CANARY_KEY"
    shown.append((await router.http.get(f"{router.address('metrics')}/metrics")).text)

    router.write(literal)
    await router.says("put the whole URL into url_env")
    wrong = written | {"models": {"a": {"endpoints": [{"url": "http://h"}], "api_key_env": canary("env-key")}}}
    router.write(wrong)
    await router.says("not the key itself")
    shown.append((await router.http.get(f"{api}/ready")).text)
    (envoy,) = router.children()
    shown += [path.read_text("utf-8", "replace") for path in run_dir(envoy).rglob("*") if path.is_file()]
    shown.append(Path(f"/proc/{envoy}/environ").read_text())

    router.process.send_signal(signal.SIGABRT)
    await router.ends()
    assert CANARY not in "\n".join([*shown, *router.said])


async def test_a_crash_shows_no_locals(serve, simple, backend, sources, monkeypatch):
    """With the traceback that a developer asks for."""
    pytest.importorskip("redis")
    a = await backend(name="a")
    monkeypatch.setenv("WAYPOST_DEBUG", "1")
    monkeypatch.setenv("CANARY_URL", f"mysql://:{canary('url')}@h")
    made = config(simple, sources, {"a": a.url, "b": a.url}, url_env="CANARY_URL")
    router = await serve(made, ready=False)
    await router.says("Traceback")
    assert await router.ends() != 0
    assert CANARY not in "\n".join(router.said)


async def command(*arguments: object) -> str:
    """Both outputs of a program that succeeds."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*map(str, arguments), stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate()
    assert process.returncode == 0, said
    return said.decode()


def run_dir(envoy: int) -> Path:
    arguments = Path(f"/proc/{envoy}/cmdline").read_bytes().split(b"\0")
    return Path(arguments[arguments.index(b"--config-path") + 1].decode()).parent
