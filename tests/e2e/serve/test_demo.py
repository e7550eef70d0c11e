"""``waypost serve --demo``, on other ports: a real language model answers, and nothing of it stays behind."""

from __future__ import annotations

import signal

import openai
import pytest
import yaml

from serving import watched
from waypost.config.find import embedded

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


@pytest.fixture
def demo(listeners, free_port) -> dict:
    """The embedded configuration with its ports moved."""
    llm = free_port()
    config = yaml.safe_load(embedded("demo").read_text("utf-8"))
    for model in config["models"].values():
        assert model["endpoints"] == [{"url": "http://127.0.0.1:8600"}]
        model["endpoints"] = [{"url": f"http://127.0.0.1:{llm}"}]
    config["demo"] |= {"listen": f"127.0.0.1:{llm}", "threads": 1, "max_tokens": 12}
    config["encoder"] = {"deadline": "20s"}
    return config | {"listeners": listeners()}


async def ask(client: openai.AsyncOpenAI, question: str) -> tuple[str, str, str]:
    """The decision, the model that answered, and the answer, streamed."""
    messages = [{"role": "user", "content": question}]
    create = client.chat.completions.with_raw_response.create
    raw = await create(model="MoM", messages=messages, stream=True)
    stream = raw.parse()
    chunks = [chunk async for chunk in (await stream if hasattr(stream, "__await__") else stream)]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return raw.headers["x-vsr-selected-decision"], chunks[0].model, text


async def test_a_real_model_answers_and_is_drained(serve, demo):
    router = await serve(demo)
    status, ready = await router.ready()
    assert (status, ready["checks"]) == (
        200,
        {"router": True, "envoy": True, "demo_llm": True, "jailbreak_guard": True, "pii_guard": True},
    )
    said = "\n".join(router.said)
    assert "SmolLM2-135M-Instruct" in said
    assert "multilingual-e5-small" in said
    children = router.children()
    assert len(children) == 2

    async with (
        watched(*children) as gone,
        openai.AsyncOpenAI(base_url=f"{router.address('http')}/v1", api_key="x", max_retries=0) as client,
    ):
        for question, expected in (
            ("帮我解这道微积分题:求 x^2·sin(x) 的导数", "math"),
            ("Tell me a joke about cats", "general"),
        ):
            decision, model, text = await ask(client, question)
            assert decision == expected
            assert model
            assert text.strip()

        stream = await client.chat.completions.create(
            model="MoM", messages=[{"role": "user", "content": "Count to one hundred"}], stream=True, max_tokens=32
        )
        chunks = aiter(stream)
        await anext(chunks)
        router.process.send_signal(signal.SIGINT)
        await router.says("draining")
        last = [chunk async for chunk in chunks][-1]
        assert last.choices[0].finish_reason in ("stop", "length")
        await client.close()
        assert await router.ends() == 0
        assert "Traceback" not in "\n".join(router.said)
        await gone()


async def test_a_killed_demo_leaves_no_child(serve, demo):
    router = await serve(demo)
    children = router.children()
    assert len(children) == 2
    async with watched(*children) as gone:
        router.process.kill()
        await gone()
