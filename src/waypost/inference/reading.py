"""What the heads say of a whole text, from what they say of its windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from waypost.inference.architecture import Floats
from waypost.inference.manifest import HeadFacts, Manifest
from waypost.inference.softmax import softmax
from waypost.inference.tags import Span, Tagger, join_windows
from waypost.inference.tokenizer import Tokens

__all__ = ["ATTACK", "Reading", "Window"]

ATTACK = "jailbreak"
"""The head that early stopping and ``worst`` look at, and its label for what is stopped for."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One pass over a piece of a text."""

    place: range
    """Its tokens, counted in the text's."""
    length: int
    """Tokens of the sequence, prefix and special tokens included."""
    outputs: Mapping[str, Floats]
    """By name; heads on tokens have one row for each of ``place``."""


class Reading:
    """Joins windows by the rules of the manifest's heads."""

    def __init__(self, manifest: Manifest) -> None:
        self._sequence = tuple(head for head in manifest.heads if head.over_windows != "spans")
        self._taggers = {
            head.name: Tagger(head.labels, head.temperature) for head in manifest.heads if head.over_windows == "spans"
        }
        self._attack = manifest.head(ATTACK)

    @property
    def token_heads(self) -> tuple[str, ...]:
        """Outputs with one row a token."""
        return tuple(self._taggers)

    def reaches(self, window: Window, probability: float) -> bool:
        """Tell whether the window alone proves an attack."""
        if self._attack is None:
            return False
        found = softmax(window.outputs[ATTACK], self._attack.temperature)
        return bool(found[self._attack.labels.index(ATTACK)] >= probability)

    def mean(self, windows: Sequence[Window], output: str) -> Floats:
        """Average an output over the windows, each weighted by its length: close to the mean over all tokens."""
        weights = np.array([window.length for window in windows], np.float32)
        found: Floats = (weights / weights.sum()) @ np.stack([window.outputs[output] for window in windows])
        return found

    def probabilities(self, windows: Sequence[Window], words: Mapping[str, Floats]) -> dict[str, dict[str, float]]:
        """Probability of each label, by head. ``words``: what to add to the logits of heads with mean over windows."""
        worst = self._worst(windows)
        found = {}
        for head in self._sequence:
            values = self._over(head, windows, worst, words.get(head.name))
            found[head.name] = dict(zip(head.labels, values.tolist(), strict=True))
        return found

    def spans(self, windows: Sequence[Window], tokens: Tokens, text: str) -> tuple[Span, ...]:
        """Everything that the heads on tokens found, in order."""
        places = [window.place for window in windows]
        found = [
            span
            for name, tagger in self._taggers.items()
            for span in tagger.spans(join_windows(places, [w.outputs[name] for w in windows]), tokens, text)
        ]
        return tuple(sorted(found, key=lambda span: span.start))

    def _over(self, head: HeadFacts, windows: Sequence[Window], worst: int, words: Floats | None) -> Floats:
        match head.over_windows:
            case "mean":
                logits = self.mean(windows, head.name)
                return softmax(logits if words is None else logits + words, head.temperature)
            case "most":
                each = softmax(np.stack([window.outputs[head.name] for window in windows]), head.temperature)
                return np.append(each[:, :1].min(axis=0), each[:, 1:].max(axis=0))
            case _:
                return softmax(windows[worst].outputs[head.name], head.temperature)

    def _worst(self, windows: Sequence[Window]) -> int:
        if self._attack is None or len(windows) == 1:
            return 0
        return int(np.argmin([softmax(window.outputs[ATTACK])[0] for window in windows]))
