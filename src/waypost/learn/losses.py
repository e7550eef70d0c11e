"""One loss for all heads, and for staying close to the first embedding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from waypost.learn.corpus import IGNORED, UNKNOWN
from waypost.learn.labels import ATTACKS
from waypost.learn.states import Batch

__all__ = ["LossWeights", "attack_windows", "losses", "mean_by_row"]

_BENIGN = ATTACKS.index("benign")
_DOUBT = 0.05
"""Label smoothing of domains: MMLU-Pro's labels have their quirks. Attacks are labelled without a doubt."""


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each task counts, with its loss averaged over the rows, tokens or windows that have a label."""

    domain: float = 1.0
    jailbreak: float = 1.0
    indirect: float = 0.3
    pii: float = 2.0
    embedding: float = 6.0
    """Of ``1 - cosine`` to the first embedding, which is a small number."""
    geometry: float = 20.0
    """Of the mean squared change of similarities between the batch's texts."""
    contrast: float = 1.0
    """Of telling what belongs to a text from what does not; see :mod:`waypost.learn.contrast`."""

    def total(self, parts: dict[str, Tensor]) -> Tensor:
        """Add up."""
        return torch.stack([getattr(self, name) * value for name, value in parts.items()]).sum()


def losses(
    logits: dict[str, Tensor], embeddings: Tensor, batch: Batch, class_weights: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Compute the loss of each task that the model has a head for and the batch a label."""
    parts: dict[str, Tensor | None] = {
        "embedding": (1 - (embeddings * batch.teacher).sum(-1)).mean(),
        "geometry": (embeddings @ embeddings.T - batch.teacher @ batch.teacher.T).square().mean(),
    }
    if "domain" in logits:
        weights = class_weights.get("domain")
        parts["domain"] = _by_row(mean_by_row(logits["domain"], batch), batch.domain, batch, weights, _DOUBT)
    if "jailbreak" in logits:
        worst = attack_windows(logits["jailbreak"], batch.rows, batch.count)
        weights = class_weights.get("jailbreak")
        parts["jailbreak"] = _by_row(logits["jailbreak"][worst], batch.attack, batch, weights)
        parts["indirect"] = _by_row(logits["indirect"][worst], batch.indirect, batch, None)
    if "pii" in logits:
        parts["pii"] = _by_token(logits["pii"], batch)
    return {name: value for name, value in parts.items() if value is not None}


def attack_windows(logits: Tensor, rows: Tensor, count: int) -> Tensor:
    """Find each row's window with the least probability of ``benign``.

    A window of an attack's long text may be harmless, so only the worst is held to the label; of a benign text even
    the worst must look benign.
    """
    suspicion = -torch.log_softmax(logits.detach(), -1)[:, _BENIGN]
    worst = torch.full((count,), -1.0, device=rows.device).scatter_reduce(0, rows, suspicion, "amax")
    # The first window that reaches its row's maximum.
    lines = torch.arange(len(rows), device=rows.device).masked_fill(suspicion < worst[rows], len(rows))
    return torch.full((count,), len(rows), device=rows.device).scatter_reduce(0, rows, lines, "amin")


def mean_by_row(logits: Tensor, batch: Batch) -> Tensor:
    """Average the windows' logits, each weighted by its length, as serving averages features."""
    lengths = batch.mask.sum(1, keepdim=True).float()
    summed = logits.new_zeros(batch.count, logits.shape[1]).index_add(0, batch.rows, logits * lengths)
    return summed / lengths.new_zeros(batch.count, 1).index_add(0, batch.rows, lengths)


def _by_row(
    logits: Tensor, labels: Tensor, batch: Batch, class_weights: Tensor | None, smoothing: float = 0.0
) -> Tensor | None:
    known = labels != UNKNOWN
    if not known.any():
        return None
    each = functional.cross_entropy(
        logits[known], labels[known], weight=class_weights, label_smoothing=smoothing, reduction="none"
    )
    weights = batch.weight[known]
    return (each * weights).sum() / weights.sum()


def _by_token(logits: Tensor, batch: Batch) -> Tensor | None:
    known = batch.tags != IGNORED
    if not known.any():
        return None
    each = functional.cross_entropy(logits[known], batch.tags[known], reduction="none")
    weights = batch.weight[batch.rows][:, None].expand_as(batch.tags)[known]
    return (each * weights).sum() / weights.sum()
