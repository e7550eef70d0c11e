"""``POST /v1/completions``: what of a prompt is read. All else passes unread."""

from __future__ import annotations

from waypost.types import Message, Request
from waypost.wire import fields
from waypost.wire.document import Document
from waypost.wire.encode import encodable

__all__ = ["read"]

_PROMPTS = "a string, or an array of strings, of token ids or of arrays of token ids"


def read(document: Document) -> Request:
    """Understand a completions request: each prompt is a user message, and all of them are classified together.

    Token ids belong to the backend's tokenizer and have no text. Raises BadRequest where a field that we interpret
    cannot be.
    """
    model = fields.model(document)
    messages = tuple(Message("user", encodable(text)) for text in _texts(document))
    return Request(
        wire="completions",
        model=model,
        messages=messages,
        user_text="\n".join(message.text for message in messages),
        stream=fields.stream(document),
    )


def _texts(document: Document) -> list[str]:
    prompt = document.get("prompt")
    if isinstance(prompt, str):
        return [prompt]
    if isinstance(prompt, list):
        return _listed(prompt)
    if prompt is not None:
        raise fields.wrong_type("prompt", _PROMPTS, prompt)
    if document.get("prompt_embeds") is None:  # vLLM takes embeddings in place of a prompt
        raise fields.missing("prompt")
    return []


def _listed(prompt: list[object]) -> list[str]:
    if not prompt:
        raise fields.empty("prompt")
    kinds = set(map(type, prompt))  # a prompt may hold 100,000 ids: no loop in Python over them
    if kinds == {str}:
        return [str(text) for text in prompt]
    if kinds == {int}:
        return []
    for index, ids in enumerate(prompt):
        if not isinstance(ids, list) or set(map(type, ids)) != {int}:
            raise fields.wrong_type(
                f"prompt[{index}]", "what its siblings are: strings, token ids or arrays of them", ids
            )
    return []
