"""How good the model in training is on held-out rows. Full precision; serving's own scores come from evaluation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from waypost.errors import DataError
from waypost.inference.tags import Tagger, join_windows
from waypost.learn.batches import group_by_width
from waypost.learn.bio import Span
from waypost.learn.corpus import Corpus, Cutter
from waypost.learn.labels import ATTACKS, DOMAINS, PII_TAGS
from waypost.learn.losses import attack_windows, mean_by_row
from waypost.learn.multitask import MultiTask
from waypost.learn.rows import Row
from waypost.learn.states import Batch, StateCache

__all__ = ["Answers", "Judge", "recall_at"]

_MAIN = (("domain", "natural", "natural_other"), ("recall_at_1pc",), ("pii_f1",))
"""The main figure of each task: the first that there is."""
_BENIGN, _JAILBREAK = ATTACKS.index("benign"), ATTACKS.index("jailbreak")


@dataclass(slots=True)
class Answers:
    """What the model says of every row, by the row's number."""

    domain: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    """Probabilities."""
    attack: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    spans: dict[int, list[Span]] = field(default_factory=dict)
    similarity: list[float] = field(default_factory=list)
    """Cosines of the embeddings before and after training."""


class Judge:
    """Holds the development rows, ready to be scored after each epoch."""

    def __init__(self, rows: Sequence[Row], cutter: Cutter) -> None:
        self.rows = rows
        self._cutter = cutter
        self._tagger = Tagger(PII_TAGS)
        # Every window is kept: serving skips none of them either.
        random = Random(0)  # noqa: S311 - not for secrets
        self.corpus = Corpus.of(cutter.pack(row, number, 64, random) for number, row in enumerate(rows))

    def score(self, model: MultiTask, cache: StateCache) -> dict[str, float]:
        """Score the model; ``total`` is the mean of the tasks' main figures.

        Raises DataError when no dev row has a label for one of the model's tasks.
        """
        answers = self.answer(model, cache)
        scores = {
            **self._domain(answers),
            **self._jailbreak(answers),
            **self._personal(answers),
            "cosine": float(np.mean(answers.similarity)),
        }
        found = (next((scores[name] for name in names if name in scores), None) for names in _MAIN)
        main = [score for score in found if score is not None]
        if not main:
            raise DataError("the dev files have no labels for what is trained; of attacks they need both kinds")
        return {"total": float(np.mean(main)), **scores}

    def answer(self, model: MultiTask, cache: StateCache) -> Answers:
        """Run the model over all rows."""
        answers = Answers()
        model.eval()
        for numbers in group_by_width(self.corpus, range(len(self.rows)), 4096):
            batch = cache.load(numbers, model)
            with torch.no_grad(), torch.autocast(model.device.type, torch.bfloat16):
                logits, embeddings = model(batch.states, batch.mask)
            answers.similarity.extend((embeddings * batch.teacher).sum(-1).tolist())
            self._note(logits, batch, numbers, answers)
        return answers

    def _note(self, logits: dict[str, Tensor], batch: Batch, numbers: list[int], answers: Answers) -> None:
        if "domain" in logits:
            domain = torch.softmax(mean_by_row(logits["domain"], batch), -1).cpu().numpy()
            answers.domain.update(zip(numbers, domain, strict=True))
        if "jailbreak" in logits:
            worst = attack_windows(logits["jailbreak"], batch.rows, batch.count)
            attack = torch.softmax(logits["jailbreak"][worst], -1).cpu().numpy()
            answers.attack.update(zip(numbers, attack, strict=True))
        if "pii" in logits:
            self._tag(logits["pii"].cpu().numpy(), batch, numbers, answers)

    def _tag(self, logits: NDArray[np.float32], batch: Batch, numbers: list[int], answers: Answers) -> None:
        """Decode the spans of the rows that have labels for them."""
        for place, number in enumerate(numbers):
            row = self.rows[number]
            if row.spans is None:
                continue
            tokens, windows = self._cutter.cut(row.text)
            lines = (batch.rows == place).nonzero().flatten().tolist()
            lead = self._cutter.lead
            scores = [logits[line, lead : lead + len(window)] for line, window in zip(lines, windows, strict=True)]
            found = self._tagger.spans(join_windows(windows, scores), tokens, row.text)
            answers.spans[number] = [(span.start, span.end, span.type) for span in found]

    def _domain(self, answers: Answers) -> dict[str, float]:
        hits: dict[str, list[bool]] = defaultdict(list)
        for number, row in enumerate(self.rows):
            if row.domain is not None and number in answers.domain:
                kind = "domain" if row.source == "mmlu-pro" else "natural" if row.text.isascii() else "natural_other"
                hits[kind].append(DOMAINS[int(answers.domain[number].argmax())] == row.domain)
        return {kind: float(np.mean(found)) for kind, found in hits.items()}

    def _jailbreak(self, answers: Answers) -> dict[str, float]:
        # Rows of the other tasks count as benign in training, but would drown the hard ones here.
        numbers = [
            n for n in answers.attack if self.rows[n].attack and not self.rows[n].domain and not self.rows[n].spans
        ]
        labels = np.array([self.rows[n].attack for n in numbers])
        scores = np.array([answers.attack[n][_JAILBREAK] for n in numbers])
        if not {"benign", "jailbreak"} <= set(labels):
            return {}
        recall, threshold = recall_at(scores[labels == "benign"], scores[labels == "jailbreak"], 0.01)
        unsafe = np.array([1 - answers.attack[n][_BENIGN] for n in numbers])
        any_recall, _ = recall_at(unsafe[labels == "benign"], unsafe[labels != "benign"], 0.01)
        return {"recall_at_1pc": recall, "threshold": threshold, "unsafe_recall_at_1pc": any_recall}

    def _personal(self, answers: Answers) -> dict[str, float]:
        right = found = wanted = plain = false = 0
        for number, row in enumerate(self.rows):
            if row.spans is None:
                continue
            spans, gold = set(answers.spans.get(number, [])), set(row.spans)
            right, found, wanted = right + len(spans & gold), found + len(spans), wanted + len(gold)
            if not gold:
                plain, false = plain + 1, false + bool(spans)
        if not wanted or not answers.spans:
            return {}
        return {"pii_f1": 2 * right / max(1, found + wanted), "pii_false_rate": false / max(1, plain)}


def recall_at(negatives: NDArray[np.float32], positives: NDArray[np.float32], rate: float) -> tuple[float, float]:
    """Recall and threshold where at most ``rate`` of the negatives are over the threshold."""
    allowed = int(rate * len(negatives))
    threshold = float(np.sort(negatives)[::-1][allowed])
    return float((positives > threshold).mean()), threshold
