"""Fitting the words' share in the domain: logistic regression over terms, each weighted by how rare it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from waypost.errors import SetupError
from waypost.inference.architecture import Floats
from waypost.inference.lexicon import BITS, Lexicon, terms
from waypost.inference.softmax import log_softmax
from waypost.inference.tokenizer import Tokenizer

__all__ = ["fit_lexicon", "mix"]

_STRENGTH = 2.0
"""Inverse strength of the L2 penalty."""
_SHARES = np.arange(0.0, 2.01, 0.1)
_TEMPERATURES = np.geomspace(0.5, 4.0, 61)


def fit_lexicon(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    labels: Sequence[str],
    weights: NDArray[np.float64],
    order: tuple[str, ...],
) -> Lexicon:
    """Fit on ``texts``; ``order`` is the order of the head's labels. Raises SetupError without scikit-learn."""
    try:
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise SetupError("training needs scikit-learn; pip install 'waypost[train]'") from error
    found = [terms(tokenizer, text) for text in texts]
    places = np.concatenate(found)
    counts = np.array([len(each) for each in found])
    # Rare terms tell more (Spärck Jones, 1972); folded into the table, so that serving only adds.
    rarity = np.log(len(texts) / (1 + np.bincount(places, minlength=2**BITS))) + 1
    values = rarity[places] / np.repeat(np.sqrt(counts), counts)
    matrix = csr_matrix((values, places, np.concatenate([[0], counts.cumsum()])), shape=(len(texts), 2**BITS))
    model = LogisticRegression(C=_STRENGTH, max_iter=300, tol=1e-3).fit(matrix, labels, sample_weight=weights)
    rows = [model.classes_.tolist().index(label) for label in order]
    table = (model.coef_[rows] * rarity).T
    scale = np.abs(table).max(axis=0) / 127
    return Lexicon(
        head="domain",
        labels=order,
        table=np.round(table / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        bias=model.intercept_[rows].astype(np.float32),
    )


def mix(encoder: Floats, words: Floats, truth: NDArray[np.int64], weights: NDArray[np.float64]) -> tuple[float, float]:
    """Find the words' share and the temperature with the least log loss of ``(encoder + share * words) / temperature``.

    ``encoder`` and ``words`` are logits[rows, labels] of held-out rows.
    """

    def loss(share: float, temperature: float) -> float:
        chances = log_softmax(encoder + np.float32(share) * words, temperature)
        return float(np.average(-chances[np.arange(len(truth)), truth], weights=weights))

    pairs = ((float(share), float(temperature)) for share in _SHARES for temperature in _TEMPERATURES)
    return min(pairs, key=lambda pair: loss(*pair))
