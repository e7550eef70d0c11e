"""What the tests of the cache share: an encoder that needs no model, and requests."""

import json
from collections.abc import Callable
from hashlib import blake2b
from types import SimpleNamespace

import numpy as np
import pytest

from waypost.cache.key import Asked, ask
from waypost.errors import DeadlineExceeded
from waypost.inference.encoder import Encoding
from waypost.wire.document import Document


class BagOfLetters:
    """Embeds a text as the counts of its letters: anagrams are the same, paraphrases near."""

    manifest = SimpleNamespace(recipe="letters")
    broken = False

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        if self.broken:
            raise DeadlineExceeded("too late")
        vector = np.full(64, 0.01, np.float32)
        for letter in text.lower():
            vector[blake2b(letter.encode(), digest_size=1).digest()[0] % 64] += letter.isalnum()
        return Encoding(vector / np.linalg.norm(vector), vector[:0], len(text), 1, 0, 0.0)

    def close(self) -> None:
        pass


@pytest.fixture
def letters() -> BagOfLetters:
    return BagOfLetters()


@pytest.fixture
def asked() -> Callable[..., Asked]:
    """Make a chat request: its last user turn, then any field of the body; ``owner`` and ``policy`` apart."""

    def make(
        text: object = "How do I reset my password?", *, owner: str = "", policy: str = "p", **fields: object
    ) -> Asked:
        body = {"model": "auto", "messages": [{"role": "user", "content": text}]} | fields
        return ask(Document.parse(json.dumps(body).encode()), "chat", owner=owner, policy=policy)

    return make
