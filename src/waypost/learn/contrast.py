"""Learning similarity: a text shall be nearer to what belongs to it than to anything else of its batch.

The loss is InfoNCE (van den Oord et al., 2018), both ways, with the other pairs of the batch and the known lookalikes
as negatives. Two terms hold the embedding near to the first encoder's, which knows more than the pairs can teach.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from waypost.learn.batches import group_by_width
from waypost.learn.corpus import Corpus, Cutter
from waypost.learn.loop import Bar, Loop, Progress, Scores, Settings
from waypost.learn.losses import losses, mean_by_row
from waypost.learn.metrics import area_under_curve, recall_at
from waypost.learn.multitask import MultiTask
from waypost.learn.pairs import Held, Pair, Pairs
from waypost.learn.rows import Row
from waypost.learn.states import Batch, StateCache

__all__ = ["PairJudge", "PairTrainer", "contrast", "corpus_of"]

_TEMPERATURE: Final = 0.05
"""E5's cosines crowd between 0.7 and 1; its authors trained with 0.01, which leaves little to the lookalikes."""
_WINDOWS: Final = 8
"""Of one text, at most."""
_DEPTH: Final = 5


def corpus_of(texts: Sequence[str], cutter: Cutter) -> Corpus:
    """Number the texts: text n is row n."""
    random = Random(0)  # noqa: S311 - not for secrets
    return Corpus.of(cutter.pack(Row(text, "pairs"), number, _WINDOWS, random) for number, text in enumerate(texts))


class PairTrainer(Loop):
    """Fits the embedding of ``model`` on ``pairs``, whose texts are the rows of ``corpus``."""

    def __init__(
        self,
        model: MultiTask,
        pairs: Pairs,
        corpus: Corpus,
        cache: StateCache,
        settings: Settings,
        directory: Path,
        progress: Progress,
        bar: Bar | None = None,
    ) -> None:
        super().__init__(model, _Likeness(model, pairs, corpus, cache, settings), settings, directory, progress, bar)


class PairJudge:
    """Scores the embedding on pairs and queries that are held out."""

    def __init__(self, held: Held, cutter: Cutter) -> None:
        self._held = held
        self.corpus = corpus_of(held.texts, cutter)

    def score(self, model: MultiTask, cache: StateCache) -> Scores:
        """``cache_auc`` of the pairs, ``tools_recall_at_5`` of the queries, and their mean as ``total``."""
        vectors, kept = self._embed(model, cache)
        scores: Scores = {}
        if self._held.couples:
            left, right, same = zip(*self._held.couples, strict=True)
            cosines = (vectors[list(left)] * vectors[list(right)]).sum(1)
            scores["cache_auc"] = area_under_curve(cosines.tolist(), same) or 0.0
        if self._held.queries:
            scores["tools_recall_at_5"] = self._recall(vectors)
        return {"total": float(np.mean(list(scores.values()))), **scores, "cosine": kept}

    def _recall(self, vectors: Tensor) -> float:
        texts, gold = zip(*self._held.queries, strict=True)
        near = vectors[list(texts)] @ vectors[list(self._held.documents)].T
        best = near.topk(min(_DEPTH, near.shape[1]), dim=1).indices.tolist()
        ranked = [[str(self._held.documents[place]) for place in line] for line in best]
        return recall_at(ranked, [map(str, wanted) for wanted in gold], _DEPTH) or 0.0

    def _embed(self, model: MultiTask, cache: StateCache) -> tuple[Tensor, float]:
        """Embeddings by text, and their mean cosine to the first encoder's."""
        vectors, kept = torch.zeros(len(self._held.texts), model.trunk.hidden), []
        model.eval()
        for numbers in group_by_width(self.corpus, range(len(self._held.texts)), 4096):
            batch = cache.load(numbers, model)
            with torch.no_grad(), torch.autocast(model.device.type, torch.bfloat16):
                windows = model.embed(batch.states, batch.mask)
            kept += (windows * batch.teacher).sum(-1).tolist()
            vectors[numbers] = _by_text(windows, batch).cpu()
        return vectors, float(np.mean(kept))


class _Likeness:
    """What a step teaches: the pairs of a batch against each other."""

    def __init__(self, model: MultiTask, pairs: Pairs, corpus: Corpus, cache: StateCache, settings: Settings) -> None:
        self._model, self._pairs, self._corpus, self._cache, self._settings = model, pairs, corpus, cache, settings

    def batches(self, epoch: int) -> list[list[int]]:
        """Shuffle the pairs and cut them where a batch's texts, padded to the widest, have tokens enough."""
        order = np.random.default_rng((self._settings.seed, epoch)).permutation(len(self._pairs.pairs)).tolist()
        batches: list[list[int]] = [[]]
        windows = widest = 0
        for number in order:
            texts = _texts((self._pairs.pairs[number],))
            more = sum(len(self._corpus.rows[text].windows) for text in texts)
            wider = max(widest, *map(self._corpus.width, texts))
            if batches[-1] and (windows + more) * wider > self._settings.batch_tokens:
                batches.append([])
                windows, wider = 0, max(map(self._corpus.width, texts))
            batches[-1].append(number)
            windows, widest = windows + more, wider
        return batches

    def losses(self, batch: list[int]) -> tuple[dict[str, Tensor], int]:
        pairs = [self._pairs.pairs[number] for number in batch]
        texts = _texts(pairs)
        loaded = self._cache.load(texts, self._model)
        self._model.train()
        with torch.autocast(self._model.device.type, torch.bfloat16):
            windows = self._model.embed(loaded.states, loaded.mask)
        kept = losses({}, windows, loaded, {})
        return kept | {"contrast": contrast(_by_text(windows, loaded), texts, pairs, self._pairs)}, loaded.mask.numel()


def contrast(vectors: Tensor, texts: Sequence[int], pairs: Sequence[Pair], known: Pairs) -> Tensor:
    """InfoNCE over ``pairs``, where ``vectors[n]`` is the embedding of ``texts[n]``.

    Each left text has its right one to find among all right texts and lookalikes, each right text its left one among
    all left texts; what is known to belong to a text besides is left out.
    """
    place = {text: index for index, text in enumerate(texts)}
    left, right = [pair.left for pair in pairs], [pair.right for pair in pairs]
    others = [text for pair in pairs for text in pair.against]
    ways = ((left, right, sorted({*right, *others})), (right, left, sorted(set(left))))
    found = []
    for asked, answers, choices in ways:
        near = vectors[[place[text] for text in asked]] @ vectors[[place[text] for text in choices]].T / _TEMPERATURE
        barred = [
            [choice in known.kin[text] and choice != answer for choice in choices]
            for text, answer in zip(asked, answers, strict=True)
        ]
        near = near.masked_fill(torch.tensor(barred, device=near.device), -torch.inf)
        targets = torch.tensor([choices.index(answer) for answer in answers], device=near.device)
        found.append(functional.cross_entropy(near, targets))
    return torch.stack(found).mean()


def _texts(pairs: Sequence[Pair]) -> list[int]:
    return sorted({text for pair in pairs for text in (pair.left, pair.right, *pair.against)})


def _by_text(windows: Tensor, batch: Batch) -> Tensor:
    """Join the windows of each text as serving does."""
    return functional.normalize(mean_by_row(windows, batch), dim=-1)
