"""Documents that a user hands over, with an attack inside or none, and attacks that are only quoted.

What makes an attack indirect is where it stands, so every carrier comes with an attack in one row and with a harmless
request, meant for a human reader, in another: the detector has to read what is asked, not where.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random

from waypost.learn.composed import own_data
from waypost.learn.rows import Row

__all__ = ["document_rows", "quoting_rows"]

_SENTENCE_END = re.compile(r"(?<=[.!?。!?])\s*")
_CARRIER = range(120, 1800)
"""Characters of a text that can carry another."""
_SENTENCE = range(8, 220)
"""Characters of what is put inside or quoted."""
_QUOTES_PER_FRAME = 12


def document_rows(rows: Sequence[Row], count: int, random: Random) -> Iterator[Row]:
    """Put attacks and harmless requests of ``rows`` into its harmless texts: ``count`` of each."""
    carriers = [row.text for row in rows if row.attack == "benign" and not row.spans and len(row.text) in _CARRIER]
    attacks = [
        row.text for row in rows if row.attack == "jailbreak" and not row.indirect and len(row.text) in _SENTENCE
    ]
    if not carriers or not attacks:
        return
    own = own_data("documents")
    for _ in range(count):
        task, carrier = random.choice(own["tasks"]), random.choice(carriers)
        for text, attack in ((random.choice(attacks), True), (random.choice(own["asides"]), False)):
            label = "jailbreak" if attack else "benign"
            yield Row(task.replace("{}", _inside(carrier, text, random)), "documents", None, label, indirect=attack)


def quoting_rows(rows: Sequence[Row], random: Random) -> Iterator[Row]:
    """Quote attacks of ``rows`` in the words of people who study or fight them."""
    attacks = [
        row.text for row in rows if row.attack == "jailbreak" and not row.indirect and len(row.text) in _SENTENCE
    ]
    for quote in own_data("documents")["quotes"]:
        for attack in random.sample(attacks, min(_QUOTES_PER_FRAME, len(attacks))):
            yield Row(quote.replace("{}", attack), "quotes", attack="benign", indirect=False)


def _inside(carrier: str, text: str, random: Random) -> str:
    """Put ``text`` between two sentences of the carrier, before it or after it."""
    places = [0, *(end.start() for end in _SENTENCE_END.finditer(carrier)), len(carrier)]
    place = random.choice(places)
    gap = random.choice((" ", "\n", "\n\n"))
    return f"{carrier[:place].rstrip()}{gap}{text}{gap}{carrier[place:].lstrip()}".strip()
