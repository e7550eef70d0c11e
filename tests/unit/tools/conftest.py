"""A small encoder that knows words, and what is fitted on it."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from waypost.errors import Overloaded
from waypost.inference.encoder import Encoding
from waypost.tools.index import ToolIndex
from waypost.tools.lexical import Background, document
from waypost.tools.relevance import Relevance
from waypost.tools.tool import Tool

TOPICS = ("weather", "mail", "money", "music")


class WordEncoder:
    """One dimension a topic, and one for all else. ``texts`` is what it was asked for."""

    manifest = SimpleNamespace(recipe="words", dimensions=len(TOPICS) + 1)

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.fails = False
        self.hangs = False

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        if self.fails:
            raise Overloaded("the queue is full")
        if self.hangs:
            await asyncio.Event().wait()
        self.texts.append(text)
        vector = np.array([*(float(topic in text.lower()) for topic in TOPICS), 0.1], np.float32)
        return Encoding(vector / np.linalg.norm(vector), np.empty(0, np.float32), 1, 1, 0, 0.0)

    def close(self) -> None: ...


def make_tool(name: str, description: str, *labels: str) -> Tool:
    value = {"type": "function", "function": {"name": name, "description": description}}
    tool = Tool.read(value, labels=frozenset(labels))
    assert tool
    return tool


@pytest.fixture
def word_encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def tool() -> Callable[..., Tool]:
    return make_tool


@pytest.fixture
def relevance() -> Relevance:
    """Even for a tool that shares a topic, or a rare word; near zero for all others."""
    size = len(TOPICS) + 1
    nothing = np.zeros(size, np.float32)
    background = Background.of([document(make_tool(f"tool{n}", "does something")) for n in range(100)])
    return Relevance("words", nothing, nothing, np.eye(size, dtype=np.float32), 8.0, 0.5, -6.0, background)


@pytest.fixture
def database(relevance: Relevance) -> ToolIndex:
    tools = [
        make_tool("get_forecast", "The weather of the next days", "outdoors"),
        make_tool("send_message", "Write a mail", "office"),
        make_tool("pay_bill", "Send money", "office", "finance"),
        make_tool("play_song", "Play music"),
    ]
    vectors = [asyncio.run(WordEncoder().encode(tool.text)).embedding for tool in tools]
    return ToolIndex.build(tools, vectors, relevance)
