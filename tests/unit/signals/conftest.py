from collections.abc import Callable

import numpy as np
import pytest

from waypost.inference.encoder import Encoding
from waypost.signals.conversation import ConversationReader
from waypost.types import Message, Request


class Scripted:
    """An encoder that finds what its script says of a text, or raises it."""

    def __init__(self, script):
        self.script = script
        self.texts = []
        self.until = []

    async def encode(self, text, *, until=None):
        self.texts.append(text)
        self.until.append(until)
        found = self.script.get(text, {})
        if isinstance(found, Exception):
            raise found
        attack = dict(zip(("benign", "jailbreak", "harmful"), found.get("attack", (1, 0, 0)), strict=True))
        indirect = found.get("indirect", 0.0)
        return Encoding(
            np.ones(1, np.float32), np.ones(0, np.float32), 1, found.get("windows", 1), found.get("skipped", 0), 0.0,
            probabilities={"jailbreak": attack, "indirect": {"direct": 1 - indirect, "indirect": indirect}},
            spans=found.get("spans", ()),
        )  # fmt: skip


@pytest.fixture
def scripted() -> Callable[..., tuple[Scripted, ConversationReader]]:
    def make(script, **settings):
        encoder = Scripted(script)
        return encoder, ConversationReader(encoder, **{"deadline": 60, "max_windows": 64, **settings})

    return make


@pytest.fixture
def conversation() -> Callable[..., Request]:
    """A request of messages with these texts, of the user unless a role is given."""

    def make(*texts, **by_role):
        messages = (*(Message(role, text) for role, text in by_role.items()), *(Message("user", t) for t in texts))
        return Request("chat", "auto", messages, texts[-1] if texts else "")

    return make
