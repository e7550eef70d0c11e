"""The project's Markdown pages and the fenced blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block; ``kind`` is all that stands behind its opening fence."""

    page: Path
    line: int
    kind: str
    text: str


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path
    text: str

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return FENCE.sub("", self.text)

    def blocks(self, *kinds: str) -> list[Block]:
        return [
            Block(self.path, self.text.count("\n", 0, found.start()) + 1, found[2].strip(), found[3])
            for found in FENCE.finditer(self.text)
            if found[2].strip() in kinds
        ]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def pages() -> list[Page]:
    """Every Markdown page that we wrote."""
    paths = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    return [Page(path, path.read_text("utf-8")) for path in paths]
