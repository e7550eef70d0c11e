"""Learning which tools serve which requests: a bilinear map of embeddings, and the weight of words beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from waypost.inference.architecture import Floats
from waypost.tools.lexical import Background
from waypost.tools.relevance import Relevance

__all__ = ["Sample", "calibrate", "fit"]

_SEED: Final = 0
_BATCH: Final = 256
_RATE: Final = 0.004
_DECAY: Final = 1.0
"""Of the map, towards the plain cosine."""
_WITHIN: Final = 0.5
"""Share of the loss that ranks among tools of the row's own source.

The rest ranks among all, and learns mostly which source a request sounds like; that is right on this data, but alone it
made tools that were never seen harder to tell from their siblings. One pass over the data, for the same reason.
"""
_OTHERS: Final = 20
"""Unrelated tools that the right one has to stand out from; about what a real database holds."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Requests and tools, embedded."""

    queries: Floats
    tools: Floats
    bm25: Sequence[Floats]
    """Per request, for every tool."""
    gold: Sequence[Sequence[int]]
    """Per request, the places of the right tools."""
    query_sources: Sequence[str]
    tool_sources: Sequence[str]

    def targets(self) -> Floats:
        """Return [requests, tools]: each row shares 1 among its right tools."""
        targets = np.zeros((len(self.gold), len(self.tools)), np.float32)
        for row, places in zip(targets, self.gold, strict=True):
            row[places] = 1 / len(places)
        return targets


def fit(sample: Sample, recipe: str, background: Background, say: Say) -> Relevance:
    """Fit by contrast: the right tools against all others that are right for some request.

    Tools that are right for none are no negatives, or the map would learn to avoid what it has not seen.
    """
    query_mean, tool_mean = sample.queries.mean(axis=0), sample.tools.mean(axis=0)
    tools = sample.tools - tool_mean
    size = float(np.linalg.norm(tools, axis=1).mean())
    matrix, scale, lexical = _contrast(sample, sample.queries - query_mean, tools / size, say)
    return Relevance(recipe, query_mean, tool_mean, matrix, scale / size, lexical, 0.0, background)


def _contrast(sample: Sample, queries: Floats, tools: Floats, say: Say) -> tuple[Floats, float, float]:
    import torch

    torch.manual_seed(_SEED)
    targets = sample.targets()
    wanted = targets.sum(axis=0)
    seen = np.flatnonzero(wanted)
    shares, bm25 = torch.tensor(targets[:, seen]), torch.tensor(np.stack([scores[seen] for scores in sample.bm25]))
    vectors, candidates = torch.tensor(queries), torch.tensor(tools[seen])
    weights = shares @ torch.tensor(wanted[seen]).clamp(min=0.3).rsqrt()  # a popular tool must not drown the others
    weights /= weights.mean()
    foreign = torch.tensor(np.array(sample.query_sources)[:, None] != np.array(sample.tool_sources)[None, seen])
    turn = torch.zeros(queries.shape[1], queries.shape[1], requires_grad=True)
    scales = torch.tensor([10.0, 0.3], requires_grad=True)
    optimiser = torch.optim.AdamW(
        [{"params": [turn], "weight_decay": _DECAY}, {"params": [scales], "weight_decay": 0.0}], lr=_RATE
    )
    batches = torch.split(torch.randperm(len(vectors)), _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [_RATE, 10 * _RATE], len(batches) + 1, pct_start=0.1)
    for number, batch in enumerate(batches, 1):
        turned = torch.nn.functional.normalize(vectors[batch] + vectors[batch] @ turn)
        logits = scales[0] * turned @ candidates.T + scales[1] * bm25[batch]
        among = _loss(logits, shares[batch])
        within = _loss(logits.masked_fill(foreign[batch], -1e4), shares[batch])
        loss = (((1 - _WITHIN) * among + _WITHIN * within) * weights[batch]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if number % 10 == 0:
            say(f"{number} of {len(batches)} batches, loss {loss.item():.3f}")
    matrix = np.asarray((torch.eye(len(turn)) + turn).detach().numpy(), np.float32)
    scale, lexical = scales.tolist()
    return matrix, scale, lexical


def _loss(logits: Any, targets: Any) -> Any:  # noqa: ANN401 - torch is optional
    return -(targets * logits.log_softmax(dim=1)).sum(dim=1)


def calibrate(relevance: Relevance, sample: Sample, say: Say) -> Relevance:
    """Stretch and shift the scores so that they tell a right tool from the best of twenty others, one to one.

    Platt's method (Probabilistic Outputs for Support Vector Machines, 1999), by Newton's.
    """
    random = np.random.default_rng(_SEED)
    tools = relevance.tools(sample.tools)
    right, wrong = [], []
    for query, bm25, gold in zip(sample.queries, sample.bm25, sample.gold, strict=True):
        scores = tools @ relevance.query(query) + relevance.lexical * bm25
        right.append(scores[gold].max())
        others = np.setdiff1d(random.integers(0, len(tools), _OTHERS), gold)
        wrong.append(scores[others].max())
    slope, shift = _platt(np.array(right, np.float64), np.array(wrong, np.float64))
    say(f"calibrated: {slope:.3f} x score {shift:+.3f}")
    return replace(relevance, scale=relevance.scale * slope, lexical=relevance.lexical * slope, bias=shift)


def _platt(right: NDArray[np.float64], wrong: NDArray[np.float64]) -> tuple[float, float]:
    scores = np.concatenate([right, wrong])
    inputs, truth = np.stack([scores, np.ones_like(scores)], axis=1), np.arange(len(scores)) < len(right)
    weights = np.zeros(2)
    for _ in range(25):
        probabilities = 1 / (1 + np.exp(-inputs @ weights))
        curvature = (inputs * (probabilities * (1 - probabilities))[:, None]).T @ inputs
        weights -= np.linalg.solve(curvature, inputs.T @ (probabilities - truth))
    return float(weights[0]), float(weights[1])
