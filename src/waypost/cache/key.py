"""What of a request decides its answer, as digests: of all of it, and of all but the question.

Values in, digests out. Whatever is not listed as transport counts, known to us or not: a field too many in the digest
costs a hit, one too few serves the wrong answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from json import JSONDecoder
from typing import Any, Final

from waypost.types import Wire
from waypost.wire.document import Document

__all__ = ["Asked", "ask", "owner_digest"]

_TRANSPORT: Final = frozenset(
    {
        "stream",
        "stream_options",
        "metadata",  # labels for the provider's log
        "prompt_cache_key",
        "prompt_cache_retention",
        "service_tier",
        "priority",  # vLLM's queue
        "request_id",  # vLLM: new with each request
    }
)
"""Fields that say how an answer travels, not what it is. ``user`` is none: it tells an application's users apart."""

_REPEATS: Final = ("echo", "prompt_logprobs", "return_token_ids")
"""Fields of vLLM, and of completions, that put the asker's own words into the answer: it is right for nobody else."""

_QUESTION: Final = {"question": ""}
"""Stands where the question's text was taken out."""
_EXACT_DIGITS: Final = 2**53
_PLAIN_DIGITS: Final = 640
"""int() takes that many in any interpreter."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the cache sees it."""

    exact: str
    """Digest of owner, policy, path and everything in the body but transport."""
    question: str
    """Text of the last user turn; empty when the request does not end with one that is text."""
    owner: str
    """Digest of the user or tenant; empty in the global scope."""
    wire: Wire
    rest: str
    """Digest like ``exact``, but without the question's text and the requested model's name."""

    def partition(self, decision: str, model: str) -> str:
        """Digest of all that must be equal before anything may be similar."""
        return _digest([self.rest, decision, model])


def ask(document: Document, wire: Wire, *, owner: str, policy: str) -> Asked:
    """Digest one request; some 50 µs for a few kilobytes.

    ``owner`` is what :func:`owner_digest` gave, ``policy`` says what answers: configuration, decision, model.
    """
    body: dict[str, Any] = {key: value for key, value in _canonical(document).items() if key not in _TRANSPORT}
    exact = _digest([owner, policy, wire, body])
    question, body = _without_question(body, wire)
    body.pop("model", None)  # the selected model and the decision stand for it
    return Asked(exact, question, owner, wire, _digest([owner, policy, wire, body]) if question else "")


def owner_digest(value: str) -> str:
    """Digest what names a user or tenant, so that no store holds it."""
    return _digest(["owner", value])


def _canonical(document: Document) -> Mapping[str, Any]:
    value: dict[str, Any] = _DECODER.raw_decode(document.text, document.start)[0]
    return value


def _without_question(body: Mapping[str, Any], wire: Wire) -> tuple[str, dict[str, Any]]:
    """Take the question's text out of the last user turn; all else of that turn stays (pictures, a name)."""
    rest = dict(body)
    if any(_is_set(rest.get(field)) for field in _REPEATS):
        return "", rest
    if wire == "completions":
        prompt = rest.get("prompt")
        return (prompt, rest | {"prompt": _QUESTION}) if isinstance(prompt, str) else ("", rest)
    messages = rest.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, dict) or last.get("role") != "user":
        return "", rest
    question, content = _without_text(last.get("content"))
    return question, rest | {"messages": [*messages[:-1], last | {"content": content}]} if messages else rest


def _is_set(value: object) -> bool:
    """0 counts: it is a number of log probabilities."""
    return value is not None and value is not False


def _without_text(content: object) -> tuple[str, object]:
    """Take the text out and leave a mark where it stood: what is said before a picture is not said after it.

    Of several texts among pictures only the last is taken, since one taken-out string would not tell where each ended.
    """
    if isinstance(content, str):
        return content, _QUESTION
    if not isinstance(content, list):
        return "", content
    places = [place for place, part in enumerate(content) if _is_text(part)]
    if not places:
        return "", content
    if len(places) == len(content):
        return "\n".join(part["text"] for part in content), _QUESTION
    last = places[-1]
    return content[last]["text"], [*content[:last], _QUESTION, *content[last + 1 :]]


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and part.keys() == {"type", "text"} and isinstance(part["text"], str)


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode("ascii"), digest_size=20).hexdigest()


def _float(digits: str) -> float | int:
    value = float(digits)
    return int(value) if value.is_integer() and abs(value) < _EXACT_DIGITS else value


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _PLAIN_DIGITS else f"integer {digits}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Keep both values of a key that stands twice: the backend may take the other one."""
    found = dict(pairs)
    return found if len(found) == len(pairs) else {"twice": sorted(pairs, key=lambda pair: pair[0])} | found


_DECODER: Final = JSONDecoder(parse_float=_float, parse_int=_integer, object_pairs_hook=_object)
"""Reads 1 and 1.0 as the same number."""
