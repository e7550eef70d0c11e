"""Changes to a JSON document at known places; every byte that is not edited stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from waypost.wire.document import Document
from waypost.wire.encode import to_json
from waypost.wire.spans import Child, children, duplicate

__all__ = ["Edits", "Path"]

Path = Sequence[str | int]
"""Keys and indexes from the top: ``("messages", 0, "content")``. Indexes are those of the client's array."""


class Edits:
    """Collects changes to one document and renders them together.

    Two changes of the same value, or of a value and something inside it, are a programming error: ValueError.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self._root = _Inside()

    def __bool__(self) -> bool:
        """Tell whether there is anything to change."""
        return bool(self._root.named)

    def set(self, path: Path, value: object) -> None:
        """Replace the value, or add it at the end of its object; what lacks on the way there becomes an object."""
        self._put(path, _Set(value))

    def remove(self, path: Path) -> None:
        """Take the member or element out. An absent member is no error."""
        self._put(path, _Remove())

    def prepend_text(self, path: Path, text: str) -> None:
        """Put ``text`` in front of a string, whose own bytes stay as the client wrote them."""
        self._put(path, _Prepend(text))

    def insert(self, path: Path, index: int, value: object) -> None:
        """Put a new element into the array at ``path``, before the client's element ``index`` or at the end."""
        if not path:
            raise LookupError("the document itself is no array")
        self._inside(path).inserted.append((index, value))

    def render(self) -> bytes:
        """Return the edited body.

        Raises LookupError where a path leads nowhere, and BadRequest where it leads through a key that the client
        wrote twice.
        """
        text = self.document.text
        pieces: list[str] = []
        position = 0
        patches = _container(text, self.document.start, self.document.members, self._root)
        for start, end, new in sorted(patches, key=itemgetter(0, 1)):
            pieces += (text[position:start], new)
            position = end
        pieces.append(text[position:])
        return "".join(pieces).encode()

    def _put(self, path: Path, edit: _Edit) -> None:
        *parents, last = path
        inside = self._inside(parents)
        if last in inside.named:
            raise ValueError(f"overlapping edits at {tuple(path)}")
        inside.named[last] = edit

    def _inside(self, path: Path) -> _Inside:
        here = self._root
        for key in path:
            match here.named.setdefault(key, _Inside()):
                case _Inside() as below:
                    here = below
                case _:
                    raise ValueError(f"overlapping edits at {tuple(path)}")
        return here


@dataclass(slots=True)
class _Set:
    value: object


@dataclass(slots=True)
class _Remove:
    pass


@dataclass(slots=True)
class _Prepend:
    text: str


@dataclass(slots=True)
class _Inside:
    named: dict[str | int, _Edit] = field(default_factory=dict)
    inserted: list[tuple[int, object]] = field(default_factory=list)

    @property
    def of_array(self) -> bool:
        return bool(self.inserted) or any(isinstance(key, int) for key in self.named)


_Edit = _Set | _Remove | _Prepend | _Inside


class _Patch(NamedTuple):
    start: int
    end: int
    new: str


_NOTHING = object()


def _value(text: str, child: Child, edit: _Edit) -> Iterator[_Patch]:
    match edit:
        case _Prepend(prefix) if isinstance(child.value, str):
            yield _Patch(child.start + 1, child.start + 1, to_json(prefix)[1:-1])
        case _Inside() if text[child.start] == ("[" if edit.of_array else "{"):
            yield from _container(text, child.start, _parts(text, child.start, edit), edit)
        case _:
            if (new := _built(edit)) is not _NOTHING:
                yield _Patch(child.start, child.end, to_json(new))


def _parts(text: str, start: int, edit: _Inside) -> tuple[Child, ...]:
    """Find the children that matter: of a long array only those up to one past the last that is touched."""
    touched = (*(index for index, _ in edit.inserted), *(key for key in edit.named if isinstance(key, int)))
    return tuple(islice(children(text, start), max(touched) + 2 if touched else None))


def _container(text: str, start: int, parts: Sequence[Child], edit: _Inside) -> Iterator[_Patch]:
    found = {}
    for part in parts:
        if part.key in edit.named:
            if part.key in found:
                raise duplicate(str(part.key))
            found[part.key] = part
    removed = {key for key in found if isinstance(edit.named[key], _Remove)}
    for key, part in found.items():
        if key not in removed:
            yield from _value(text, part, edit.named[key])
    yield from _removals(parts, removed)
    kept = [(place, part) for place, part in enumerate(parts) if part.key not in removed]
    new = [(index, to_json(value)) for index, value in edit.inserted]
    new += [(len(parts), member) for member in _new_members(edit, found)]
    yield from _additions(start, kept, sorted(new, key=itemgetter(0)))


def _removals(parts: Sequence[Child], removed: set[str | int]) -> Iterator[_Patch]:
    """Each part leaves with one comma: the one before it, or, when nothing before it stays, the one after it."""
    something_stays = False
    for place, part in enumerate(parts):
        if part.key not in removed:
            something_stays = True
        elif something_stays:
            yield _Patch(parts[place - 1].end, part.end, "")
        else:
            yield _Patch(part.begin, parts[place + 1].begin if place + 1 < len(parts) else part.end, "")


def _additions(start: int, kept: Sequence[tuple[int, Child]], new: Sequence[tuple[int, str]]) -> Iterator[_Patch]:
    if not kept:
        yield _Patch(start + 1, start + 1, ",".join(item for _, item in new))
        return
    for index, item in new:
        following = next((part for place, part in kept if place >= index), None)
        if following:
            yield _Patch(following.begin, following.begin, f"{item},")
        else:
            yield _Patch(kept[-1][1].end, kept[-1][1].end, f",{item}")


def _new_members(edit: _Inside, found: dict[str | int, Child]) -> Iterator[str]:
    for key, below in edit.named.items():
        if key not in found and (value := _built(below)) is not _NOTHING:
            if isinstance(key, int):
                raise LookupError(f"the array has no element {key}")
            yield f"{to_json(key)}:{to_json(value)}"


def _built(edit: _Edit) -> object:
    """Make the value that belongs where the document has none to change; _NOTHING when the edit only removes."""
    match edit:
        case _Set(value):
            return value
        case _Remove():
            return _NOTHING
        case _Inside(named) if not edit.of_array:
            built = {key: value for key, below in named.items() if (value := _built(below)) is not _NOTHING}
            return built or _NOTHING
        case _:
            raise LookupError(f"nothing there for {edit}")
