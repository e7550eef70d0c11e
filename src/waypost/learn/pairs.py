"""What the embedding learns from: texts that belong together, and texts that only look so.

Two kinds of files, of which one will do: ``cache_pairs_*`` (``a``, ``b``, ``label`` 1 when the answer to a is right for
b) and ``tools_*`` (``text``, ``gold`` tool ids) with ``tools_corpus`` (``tool_id``, ``name``, ``description``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from waypost.errors import DataError, SetupError
from waypost.learn.sources import find_table
from waypost.learn.splits import find_leaks
from waypost.learn.tables import read_table

__all__ = ["Held", "Pair", "Pairs", "development_pairs", "training_pairs"]

_HARD: Final = 3
"""Lookalikes of one pair."""

_CACHE: Final = {"a": str, "b": str}
_QUERIES: Final = {"text": str, "gold": list}
_TOOLS: Final = {"tool_id": str, "name": str, "description": str}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that belong together, and some that look like them and do not; numbers of texts."""

    left: int
    right: int
    against: tuple[int, ...] = ()


@dataclass(slots=True)
class Pairs:
    """All pairs over one list of texts."""

    texts: list[str] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    kin: dict[int, set[int]] = field(default_factory=dict)
    """What belongs to a text by whatever way, itself included: never to be pushed away from it."""
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, text: str) -> int:
        """The number of a text, which is added when it is new."""
        found = self._numbers.setdefault(text, len(self.texts))
        if found == len(self.texts):
            self.texts.append(text)
            self.kin[found] = {found}
        return found


@dataclass(frozen=True, slots=True)
class Held:
    """What the embedding is judged by."""

    texts: tuple[str, ...]
    couples: tuple[tuple[int, int, bool], ...]
    """Two texts, and whether they belong together."""
    queries: tuple[tuple[int, tuple[int, ...]], ...]
    """A text, and the texts of ``documents`` that it asks for."""
    documents: tuple[int, ...]


def training_pairs(data: Path, held: Held, random: Random) -> tuple[Pairs, int]:
    """Read the pairs to learn, and how many were left out because they give away a text of ``held``.

    Raises SetupError when there are no such files, DataError when they are malformed.
    """
    cache, queries, tools = _read(data, "train")
    judged = [held.texts[number] for number in _asked(held)]
    leaks = find_leaks([text for row in cache for text in (row["a"], row["b"])], judged)
    leaks += find_leaks([row["text"] for row in queries], judged)
    leaked = {leak.seen_in for leak in leaks}
    clean = [row for row in cache if not {row["a"], row["b"]} & leaked]
    asked = [row for row in queries if row["text"] not in leaked]
    found = Pairs()
    _add_couples(found, clean, random)
    _add_queries(found, asked, tools)
    if not found.pairs:
        raise DataError(f"{data}: no pair has label 1 and no text has a gold tool: there is nothing to learn")
    return found, len(cache) - len(clean) + len(queries) - len(asked)


def development_pairs(data: Path) -> Held:
    """Read what the embedding is judged by. Raises as :func:`training_pairs` does."""
    cache, queries, tools = _read(data, "dev")
    texts = Pairs()
    couples = tuple((texts.number(row["a"]), texts.number(row["b"]), _same(row)) for row in cache)
    if couples and len({same for *_, same in couples}) < 2:
        raise DataError(f"{data}: cache_pairs_dev needs pairs of both labels, 0 and 1")
    places = {tool: texts.number(text) for tool, text in tools.items()}
    asked = tuple((texts.number(row["text"]), _gold(row, places)) for row in queries)
    return Held(tuple(texts.texts), couples, asked, tuple(places.values()))


def _asked(held: Held) -> set[int]:
    """All texts but the tools, which training may know."""
    return {number for left, right, _ in held.couples for number in (left, right)} | {text for text, _ in held.queries}


def _read(data: Path, part: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, str]]:
    cache = _table(data, f"cache_pairs_{part}", _CACHE)
    queries = _table(data, f"tools_{part}", _QUERIES)
    corpus = _table(data, "tools_corpus", _TOOLS) if queries else []
    if not cache and not queries:
        raise SetupError(f"cannot read training data: {data} has neither cache_pairs_{part} nor tools_{part}")
    # As the choice of tools embeds them.
    return cache, queries, {tool["tool_id"]: f"{tool['name']}: {tool['description']}" for tool in corpus}


def _table(data: Path, stem: str, fields: Mapping[str, type]) -> list[dict[str, Any]]:
    path = find_table(data, stem)
    return read_table(path, fields) if path else []


def _same(row: Mapping[str, Any]) -> bool:
    if str(row.get("label")) not in ("0", "1"):
        raise DataError(f"a cache pair's label is 0 or 1, not {row.get('label')!r}")
    return str(row["label"]) == "1"


def _gold(row: Mapping[str, Any], places: Mapping[str, int]) -> tuple[int, ...]:
    unknown = [tool for tool in row["gold"] if tool not in places]
    if unknown or not row["gold"]:
        raise DataError(f"a text asks for no tool, or for one that tools_corpus lacks: {unknown or row['text'][:60]!r}")
    return tuple(places[tool] for tool in row["gold"])


def _add_couples(found: Pairs, rows: Sequence[Mapping[str, Any]], random: Random) -> None:
    couples = [(found.number(row["a"]), found.number(row["b"]), _same(row)) for row in rows]
    same = [(left, right) for left, right, together in couples if together]
    _join(found.kin, same)
    lookalikes: dict[int, set[int]] = defaultdict(set)
    for left, right, together in couples:
        if not together:
            lookalikes[left].add(right)
            lookalikes[right].add(left)
    for left, right in same:
        against = sorted((lookalikes[left] | lookalikes[right]) - found.kin[left])
        found.pairs.append(Pair(left, right, tuple(random.sample(against, min(_HARD, len(against))))))


def _join(kin: dict[int, set[int]], couples: Iterable[tuple[int, int]]) -> None:
    """Let everything that hangs together share one set."""
    for left, right in couples:
        small, large = sorted((kin[left], kin[right]), key=len)
        if small is not large:
            large |= small
            kin.update(dict.fromkeys(small, large))


def _add_queries(found: Pairs, rows: Sequence[Mapping[str, Any]], tools: Mapping[str, str]) -> None:
    places = {tool: found.number(text) for tool, text in tools.items()}
    for text, tool in _wanted(found, rows, places):
        # Sets of their own: two texts that ask for one tool need not be alike.
        found.kin[text].add(tool)
        found.kin[tool].add(text)
        found.pairs.append(Pair(text, tool))


def _wanted(found: Pairs, rows: Sequence[Mapping[str, Any]], places: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    for row in rows:
        for tool in _gold(row, places):
            yield found.number(row["text"]), tool
