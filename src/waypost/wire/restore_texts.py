"""The texts of one answer on their way back, each with the end that must wait for its other half."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from waypost.wire.document import Document
from waypost.wire.edits import Edits
from waypost.wire.generated import Channel, Generated, as_choice, finished, generated

__all__ = ["Surrogates", "TextRestorer"]


class Surrogates(Protocol):
    """What knows the masked values: :class:`waypost.guard.pii.vault.Vault`."""

    def restore(self, text: str, *, in_json: bool = False) -> str:
        """Put the values back; ``in_json``: escaped for the strings of the JSON that ``text`` is a piece of."""
        ...

    def held_from(self, text: str) -> int:
        """Find where the end of ``text`` may be the beginning of a surrogate; its length if it is not."""
        ...


class TextRestorer:
    """Restores the generated texts of one answer, event by event or all at once."""

    def __init__(self, vault: Surrogates, *, json_content: bool) -> None:
        self._vault = vault
        self._json_content = json_content
        self._held: dict[Channel, str] = {}

    @property
    def holds(self) -> bool:
        """Tell whether some text waits for what follows it."""
        return bool(self._held)

    def edits(self, document: Document, *, whole: bool = False) -> Edits:
        """Restore the texts of one event, or of a ``whole`` answer, whose texts have no continuation."""
        edits = Edits(document)
        ending = finished(document)
        for piece in generated(document):
            more = piece.is_piece and not whole and piece.channel[0] not in ending
            restored = self._restored(piece, more=more)
            if restored != piece.text:
                edits.set(piece.path, restored)
        return edits

    def leave(self, indexes: Collection[int] | None = None) -> list[dict[str, object]]:
        """Give up what is held, for these choices or for all: it was no surrogate. One choice of an event a text."""
        ended = [channel for channel in self._held if indexes is None or channel[0] in indexes]
        return [as_choice(channel, self._held.pop(channel)) for channel in ended]

    def _restored(self, piece: Generated, *, more: bool) -> str:
        text = self._held.pop(piece.channel, "") + piece.text
        cut = self._vault.held_from(text) if more else len(text)
        if cut < len(text):
            self._held[piece.channel] = text[cut:]
        return self._vault.restore(text[:cut], in_json=piece.is_json or (self._json_content and piece.is_answer))
