import json
from collections.abc import Callable

import pytest

from waypost.wire.document import Document


@pytest.fixture
def chat_document() -> Callable[..., Document]:
    """A chat request with the given messages and extra fields."""

    def make(*messages: object, **fields: object) -> Document:
        return Document.parse(json.dumps({"model": "MoM", "messages": list(messages), **fields}).encode())

    return make
