"""Answers with masked values put back, whole or streamed; every byte that is no generated text stays.

Restored are the texts of :mod:`waypost.wire.generated`. The tokens in ``logprobs`` are left as the model made them:
they hold surrogates, never values. What is not the JSON or the event stream that it says it is passes as it came.
"""

from __future__ import annotations

from waypost.errors import BadRequest
from waypost.wire.document import Document
from waypost.wire.restore_events import EventRestorer
from waypost.wire.restore_texts import Surrogates, TextRestorer

__all__ = ["Restorer", "wants_json"]


class Restorer:
    """Fed the pieces of one answer's body, gives the pieces for the client. Never raises.

    A JSON body is held until its end, up to ``max_body`` bytes; a longer one passes with its surrogates. Of a stream
    one event is held while it is incomplete, and of each text the end that may be half a surrogate.
    ``json_content``: the client asked for an answer in JSON, so values are escaped for its strings.
    """

    def __init__(
        self, vault: Surrogates, content_type: str, *, json_content: bool = False, max_body: int = 16 * 2**20
    ) -> None:
        streamed = content_type.partition(";")[0].strip().lower() == "text/event-stream"
        texts = TextRestorer(vault, json_content=json_content)
        self._body = EventRestorer(texts) if streamed else _JsonRestorer(texts, max_body)

    def feed(self, data: bytes) -> bytes:
        """Take one piece, of any length; what comes back may be empty."""
        return self._body.feed(data)

    def end(self) -> bytes:
        """Return what was held, when the body is complete. Call it once."""
        return self._body.end()


def wants_json(document: Document) -> bool:
    """Tell whether a request asks for an answer that is JSON itself, in OpenAI's words or in vLLM's."""
    match document.get("response_format"), document.get("structured_outputs"):
        case ({"type": "json_object" | "json_schema"}, _) | (_, {"json": _} | {"json_object": True}):
            return True
        case _:
            return document.get("guided_json") is not None


class _JsonRestorer:
    def __init__(self, texts: TextRestorer, max_body: int) -> None:
        self._texts = texts
        self._max_body = max_body
        self._held = bytearray()
        self._too_long = False

    def feed(self, data: bytes) -> bytes:
        if self._too_long:
            return data
        self._held += data
        self._too_long = len(self._held) > self._max_body
        return self._given() if self._too_long else b""

    def end(self) -> bytes:
        body = self._given()
        try:
            return self._texts.edits(Document.parse(body), whole=True).render()
        except BadRequest:
            return body

    def _given(self) -> bytes:
        given = bytes(self._held)
        self._held.clear()
        return given
