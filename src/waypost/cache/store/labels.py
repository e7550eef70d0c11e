"""Digests by which stores outside of this process are searched: short, all letters and digits, and telling nothing."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from waypost.cache.entry import Entry
from waypost.cache.store.base import Selector

__all__ = ["entry_labels", "label", "selector_labels"]


def label(text: str) -> str:
    """Digest ``text``: 32 hexadecimal digits, which is also how a UUID may be written."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def entry_labels(entry: Entry) -> dict[str, str]:
    """Digest what a selector may name."""
    return {"decision": label(entry.decision), "owner": label(entry.owner), "question": label(entry.question)}


def selector_labels(selector: Selector) -> Mapping[str, str]:
    """Digest what ``selector`` names; an entry is meant when all of these are among its labels."""
    named = {"decision": selector.decision, "owner": selector.owner, "question": selector.question}
    return {name: label(text) for name, text in named.items() if text is not None}
