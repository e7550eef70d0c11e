"""Which rows are seen together, and in which order. All of it follows from a seed and the number of the epoch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from waypost.learn.corpus import Corpus

__all__ = ["epoch_batches", "group_by_width"]


def epoch_batches(corpus: Corpus, tokens: int, seed: int, epoch: int) -> list[list[int]]:
    """Draw one edition of each text, some texts not at all, and batch rows of like width in random order.

    ``tokens`` is the size of a batch with its padding.
    """
    random = np.random.default_rng((seed, epoch))
    groups: dict[int, list[int]] = defaultdict(list)
    for index, row in enumerate(corpus.rows):
        groups[row.group].append(index)
    drawn = [int(random.choice(editions)) for editions in groups.values()]
    drawn = [index for index in drawn if random.random() < corpus.rows[index].rate]
    # Shuffled before the stable sort, so that rows of one width meet others each time.
    random.shuffle(drawn)
    batches = group_by_width(corpus, drawn, tokens)
    return [batches[index] for index in random.permutation(len(batches))]


def group_by_width(corpus: Corpus, rows: Sequence[int], tokens: int) -> list[list[int]]:
    """Cut ``rows``, sorted by width, into batches of at most ``tokens`` tokens, or of one row."""
    batches: list[list[int]] = []
    windows = 0
    for row in sorted(rows, key=corpus.width):
        windows += len(corpus.rows[row].windows)
        if not batches or windows * corpus.width(row) > tokens:
            batches.append([])
            windows = len(corpus.rows[row].windows)
        batches[-1].append(row)
    return batches
