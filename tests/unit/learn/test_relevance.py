"""Contrast learns what sets right tools apart, and calibration what a score means."""

from collections import Counter

import numpy as np
import pytest

from waypost.learn.relevance import Sample, calibrate, fit
from waypost.tools.lexical import Background
from waypost.tools.relevance import Relevance

pytest.importorskip("torch")

TOOLS, WIDTH, ROWS = 40, 16, 8000


@pytest.fixture(scope="module")
def sample() -> Sample:
    """Requests say what tools say in half of the dimensions, and noise in the others; the words know nothing."""
    random = np.random.default_rng(5)
    tools = random.normal(0, 1, (TOOLS, WIDTH)).astype(np.float32) + 3
    gold = random.integers(0, TOOLS, ROWS)
    noise = random.normal(0, np.repeat([0.3, 3.0], WIDTH // 2), (ROWS, WIDTH))
    queries = (tools[gold] + noise).astype(np.float32)
    silent = np.zeros(TOOLS, np.float32)
    return Sample(queries, tools, [silent] * ROWS, [[place] for place in gold], ["a"] * ROWS, ["a"] * TOOLS)


@pytest.fixture(scope="module")
def fitted(sample: Sample) -> Relevance:
    background = Background.of([Counter({"word": 1.0})])
    return calibrate(fit(sample, "recipe", background, lambda line: None), sample, lambda line: None)


def hits(queries: np.ndarray, tools: np.ndarray, sample: Sample) -> float:
    best = (queries @ tools.T).argmax(axis=1)
    return float(np.mean([place in gold for place, gold in zip(best, sample.gold, strict=True)]))


def test_it_ranks_better_than_the_plain_cosine(sample: Sample, fitted: Relevance) -> None:
    plain = hits(sample.queries - sample.queries.mean(axis=0), sample.tools - sample.tools.mean(axis=0), sample)
    turned = np.stack([fitted.query(query) for query in sample.queries])
    assert hits(turned, fitted.tools(sample.tools), sample) > plain + 0.05


def test_scores_are_probabilities(sample: Sample, fitted: Relevance) -> None:
    silent = sample.bm25[0]
    right, wrong = [], []
    for query, gold in zip(sample.queries, sample.gold, strict=True):
        scores = fitted.probabilities(fitted.tools(sample.tools) @ fitted.query(query), silent)
        right.append(scores[gold[0]])
        wrong.append(np.delete(scores, gold).mean())
    assert np.mean(right) > 0.5 > np.mean(wrong)


def test_the_same_seed_fits_the_same(sample: Sample, fitted: Relevance) -> None:
    again = fit(sample, "recipe", fitted.background, lambda line: None)
    assert np.array_equal(again.matrix, fitted.matrix)
