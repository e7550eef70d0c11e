"""What people ask is nobody's business: it is in no log, no metric and no file, whatever happens to the request."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAT = "/v1/chat/completions"
MARKER = "zanzibar"


def chat(**fields: object) -> dict:
    return {"model": "MoM", "messages": [{"role": "user", "content": f"{MARKER} @a"}], "user": MARKER, **fields}


async def test_no_prompt_is_left_anywhere(serve, simple, backend):
    a = await backend(name="a", pieces=(MARKER, MARKER))
    router = await serve(simple({"a": [a.url]}, observability={"logs": {"level": "debug"}}))

    hostile = {
        "half of a json": json.dumps(chat()).encode()[:-3],
        "a wrong type": json.dumps(chat(messages=[{"role": MARKER, "content": MARKER}])).encode(),
        "an unknown model": json.dumps(chat(model=MARKER)).encode(),
        "invalid utf-8": json.dumps(chat()).encode().replace(b"@a", b"\xff"),
    }
    for body in (json.dumps(chat()).encode(), json.dumps(chat(stream=True)).encode(), *hostile.values()):
        await router.http.post(CHAT, content=body, headers={"x-vsr-debug": "true", "authorization": f"Bearer {MARKER}"})
    a.gates = {1: asyncio.Event()}
    async with router.http.stream("POST", CHAT, json=chat(stream=True)) as answer:
        await anext(answer.aiter_lines())
    await router.until_metric("waypost_requests_active", 0)
    await a.stop()
    assert (await router.http.post(CHAT, json=chat())).status_code == 503
    await router.http.get(f"/v1/{MARKER}")

    assert MARKER not in "\n".join(router.said)
    assert MARKER not in (await router.http.get(f"{router.address('metrics')}/metrics")).text
    assert MARKER not in json.dumps((await router.ready())[1])
    (envoy,) = router.children()
    arguments = Path(f"/proc/{envoy}/cmdline").read_bytes().split(b"\0")
    run_dir = Path(arguments[arguments.index(b"--config-path") + 1].decode()).parent
    files = [path for path in run_dir.rglob("*") if path.is_file()]
    assert len(files) >= 3
    assert not [path for path in files if MARKER.encode() in path.read_bytes()]
