"""The choice of tools for one request."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from waypost.config.tooling import ToolMode, ToolsConfig
from waypost.errors import InferenceError
from waypost.inference.encoder import Encoder
from waypost.signals.length import estimate_tokens
from waypost.tools.choose import best
from waypost.tools.database import load_tools
from waypost.tools.index import ToolIndex
from waypost.tools.relevance import Relevance
from waypost.tools.tool import Tool
from waypost.tools.vectors import embed_kept, kept_at
from waypost.types import Message, ToolChoice
from waypost.wire.edits import Edits
from waypost.wire.encode import encodable, to_json
from waypost.wire.tools import Offer, set_offer

__all__ = ["ToolSelection", "ToolSelector"]

_CLIENT_SETS: Final = 64
"""Sets of client tools whose index is kept: an application sends the same tools with every request."""
_MOST: Final = 128
"""OpenAI refuses a request with more tools. What the client sends itself is its own affair; we add no more than fit."""


@dataclass(frozen=True, slots=True)
class ToolSelection:
    """What becomes of a request's tools."""

    mode: ToolMode
    kept: frozenset[int]
    """Places of the client's tools that stay."""
    added: tuple[Tool, ...] = ()
    """From the database, best first."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """In (0, 1), of the tools that were chosen for their score."""
    tokens_saved: int = 0
    """Estimated prompt tokens of the tools that were taken out, less those of the added; negative when that is more."""
    removed: int = 0
    """How many of the client's tools go."""
    offered: tuple[str, ...] = ()
    """Names of all tools that are sent, in their order; of those without a name, the type."""
    unknown: str = ""
    """Why nothing could be chosen; the tools stay as the client sent them."""

    @property
    def changed(self) -> bool:
        """Whether the model is sent other tools than the client offers."""
        return bool(self.removed or self.added)

    @property
    def counted(self) -> ToolChoice:
        """What of it may be recorded."""
        added = tuple(tool.name for tool in self.added)
        return ToolChoice(
            self.mode, len(self.offered), len(self.scores), added, self.removed, self.tokens_saved, self.unknown
        )

    def apply(self, edits: Edits) -> None:
        """Write the choice into the request."""
        if self.changed:
            set_offer(edits, self.kept, [tool.sent for tool in self.added])


class ToolSelector:
    """Chooses tools from the operator's database or among the client's own."""

    def __init__(
        self, encoder: Encoder, relevance: Relevance, database: ToolIndex | None = None, *, deadline: float = 2.0
    ) -> None:
        """Without ``database`` there is nothing to add.

        ``deadline``: seconds for a request, whose client's tools may have to be embedded first.
        """
        self._encoder = encoder
        self._relevance = relevance
        self._database = database or ToolIndex.build((), (), relevance)
        self._deadline = deadline
        self.digest = _digest(self._database.tools)
        """Of the database's contents: an answer depends on them."""
        self._client_sets: OrderedDict[bytes, ToolIndex] = OrderedDict()

    @classmethod
    async def load(cls, encoder: Encoder, database: Path | None, *, deadline: float = 2.0) -> Self:
        """Read the database and embed what of it is new: some 20 s for 3 000 tools, the first time.

        Raises ConfigError for a wrong database, SetupError without the fitted weights, InferenceError.
        """
        relevance = Relevance.load(encoder.manifest.recipe)
        if database is None:
            return cls(encoder, relevance, deadline=deadline)
        tools = load_tools(database)
        embeddings = await embed_kept(encoder, [tool.text for tool in tools], kept_at(database))
        return cls(encoder, relevance, ToolIndex.build(tools, embeddings, relevance), deadline=deadline)

    async def select(self, text: str, offer: Offer, settings: ToolsConfig) -> ToolSelection | None:
        """Choose the tools of a request whose user says ``text``; never raises InferenceError.

        None where there is no choice to make: it is switched off, or the client forces or forbids a call.
        """
        if not (settings.enabled and offer.free and text.strip()):
            return None
        try:
            async with asyncio.timeout(self._deadline):
                choose = self._fetch if settings.needs_database else self._filter
                return await choose(text, offer, settings)
        except (InferenceError, TimeoutError) as error:
            why = str(error) or f"no choice within {self._deadline:g} s"
            return replace(_selection(settings, offer, _everything(offer)), unknown=why)

    async def _filter(self, text: str, offer: Offer, settings: ToolsConfig) -> ToolSelection:
        named = _named(offer)
        places = list(named)
        index = await self._client_index(list(named.values()))
        scores = index.scores(text, (await self._encoder.encode(text)).embedding)
        chosen = best(index.tools, scores, settings)
        if not chosen and not settings.fallback_to_empty:
            return _selection(settings, offer, _everything(offer))
        kept = _needed(offer, named) | {places[number] for number in chosen}
        good = {index.tools[number].name: float(scores[number]) for number in chosen}
        return _selection(settings, offer, kept, scores=good)

    async def _fetch(self, text: str, offer: Offer, settings: ToolsConfig) -> ToolSelection:
        """Choose from the database, for the modes ``add`` and ``replace``."""
        named, index = _named(offer), self._database
        kept = _everything(offer) if settings.mode == "add" else _needed(offer, named)
        scores = index.scores(text, (await self._encoder.encode(text)).embedding)
        # What this database gave to earlier turns is needed to read them.
        present = {named[place].name for place in kept if place in named}
        used = [place for place, tool in enumerate(index.tools) if tool.name in offer.used - present]
        chosen = best(index.tools, scores, settings, never=offer.used | present)
        if not (chosen or settings.fallback_to_empty):
            kept = _everything(offer)
            present = {tool.name for tool in named.values()}
            used = [place for place in used if index.tools[place].name not in present]
        fitting = (*used, *chosen)[: max(0, _MOST - len(kept))]
        added = tuple(index.tools[place] for place in fitting)
        good = {index.tools[place].name: float(scores[place]) for place in fitting if place in chosen}
        return _selection(settings, offer, kept, added, good)

    async def _client_index(self, tools: Sequence[Tool]) -> ToolIndex:
        key = blake2b("\0".join(f"{tool.text}\0{tool.parameters}" for tool in tools).encode(), digest_size=16).digest()
        if key not in self._client_sets:
            vectors = [(await self._encoder.encode(tool.text)).embedding for tool in tools]
            self._client_sets[key] = ToolIndex.build(tools, vectors, self._relevance)
            while len(self._client_sets) > _CLIENT_SETS:
                self._client_sets.popitem(last=False)
        self._client_sets.move_to_end(key)
        return self._client_sets[key]


def _named(offer: Offer) -> dict[int, Tool]:
    """Read the tools that have a name, by their places. Others (``web_search``) are the backend's own."""
    return {place: tool for place, value in enumerate(offer.tools) if (tool := Tool.read(value))}


def _digest(tools: Iterable[Tool]) -> str:
    found = [(tool.text, sorted(tool.labels), tool.sent) for tool in tools]
    return blake2b(repr(found).encode(), digest_size=16).hexdigest()


def _everything(offer: Offer) -> frozenset[int]:
    return frozenset(range(len(offer.tools)))


def _needed(offer: Offer, named: Mapping[int, Tool]) -> frozenset[int]:
    """Find the tools that stay however they score: those that were used, and those that are not understood."""
    return frozenset(place for place in _everything(offer) if place not in named or named[place].name in offer.used)


def _selection(
    settings: ToolsConfig,
    offer: Offer,
    kept: frozenset[int],
    added: tuple[Tool, ...] = (),
    scores: Mapping[str, float] = MappingProxyType({}),
) -> ToolSelection:
    removed = [value for place, value in enumerate(offer.tools) if place not in kept]
    saved = _tokens(removed) - _tokens([tool.value for tool in added])
    offered = [_called(value) for place, value in enumerate(offer.tools) if place in kept]
    offered += [tool.name for tool in added]
    return ToolSelection(settings.mode, kept, added, scores, saved, len(removed), tuple(offered))


def _called(value: Mapping[str, Any]) -> str:
    """Name a client's tool."""
    match value:
        case {"function": {"name": str(name)}} | {"custom": {"name": str(name)}} | {"type": str(name)}:
            return encodable(name)
        case _:
            return ""


def _tokens(values: Sequence[Mapping[str, Any]]) -> int:
    """Estimate the share of the prompt: backends write the JSON into it."""
    return estimate_tokens([Message("tool", to_json(values))]) if values else 0
