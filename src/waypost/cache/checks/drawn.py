"""Whether somebody asks for what is made up or drawn for him alone: a password, a coin's side, another joke.

Not the words tell it but the sentence: ``generate a strong password`` does, ``how do I generate a password``,
``explain random forests`` and ``create a password policy`` do not, nor does ``generate a uuid in Python``, which asks
for code. Beside these stand questions for the state of this moment: ``EUR USD rate``, ``is the server up``. Read by
``timely``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import regex

from waypost.cache.words.phrases import Phrases

__all__ = ["is_drawn", "may_be_drawn"]

_DRAWN: Final = Phrases("drawn")
_LETTERS: Final = {
    "polite": "p",
    "make": "m",
    "need": "n",
    "which": "w",
    "random": "r",
    "another": "a",
    "thing": "t",
    "noun": "s",
    "on": "o",
    "act": "!",
    "chance": "?",
    "whole": "=",
    "code": "c",
    "money": "$",
    "into": ">",
    "is": "i",
    "down": "d",
}
"""What stands for a meaning in the shape of a sentence; ``x`` for any other word."""
_OTHER: Final = "x"
_FIGURE: Final = "w"
"""Ten random names, 16 characters."""
_SHAPE: Final = regex.compile(
    r"""
    p*!                         # please flip a coin
  | p*[mn]p*w*t(?:$|[opw>])     # give me a strong password for ...
  | p*[mn]p*w*r                 # give me two random words
  | p*m[pw]*a                   # tell me another joke
  | p*m.*\?                     # pick one of these at random
  | p*w*r[w>]*[st]              # a random number, please
  | p*w+tp*$                    # strong password
  | p*[=a]m?w*sp*$               # another joke, please
  | p*m?p*w*[=a][wp]*$          # another one
  | p*\$>?\$x{0,2}$             # eur usd rate
  | .{0,4}w\$>\$                # convert 100 usd to eur
  | p*i[^>od]{1,3}d$            # is the server up
    """,
    regex.VERBOSE,
)


_NEEDED: Final = frozenset({"act", "another", "chance", "down", "money", "random", "thing", "whole"})
"""Without one of these no sentence has such a shape."""


def may_be_drawn(tokens: Sequence[str]) -> bool:
    """Whether it is worth while to look at the sentences of a text one by one."""
    return not _NEEDED.isdisjoint(_DRAWN.meanings(tokens))


def is_drawn(tokens: Sequence[str]) -> bool:
    """Whether one sentence, in lower case, asks for such a thing."""
    shape = "".join(_letter(found.meaning, tokens[found.begin]) for found in _DRAWN.walk(tokens))
    return "c" not in shape and _SHAPE.match(shape) is not None


def _letter(meaning: str | None, token: str) -> str:
    if meaning is None:
        return _FIGURE if token.isdigit() else _OTHER
    return _LETTERS.get(meaning, _OTHER)
