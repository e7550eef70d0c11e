"""One trunk, one pass, several heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from waypost.inference.architecture import State
from waypost.learn.heads import HeadSpec, Pooling
from waypost.learn.trunk import Trunk

__all__ = ["MultiTask"]


class MultiTask(nn.Module):
    """The trunk with its heads.

    Works on windows; what a text's windows mean together is the business of the loss and of the scores.
    """

    def __init__(self, trunk: Trunk, heads: Sequence[HeadSpec]) -> None:
        super().__init__()
        self.trunk = trunk
        self.specs = tuple(heads)
        self.heads = nn.ModuleDict(
            {head.name: nn.Linear(head.width * trunk.hidden, len(head.labels)) for head in heads}
        )

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def forward(self, states: Tensor, mask: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Logits by head and embeddings[windows, hidden] of length 1, from the states of ``trunk.below``.

        Logits are [windows, labels], or [windows, tokens, labels] for a head on tokens.
        """
        found = self.trunk.above(states, mask)
        pooled = {layer: _mean(found[layer], mask) for layer in self._pooled_layers()}
        logits = {}
        for spec in self.specs:
            parts = [
                _pool(found[layer], pooled.get(layer), pooling) for pooling in spec.pooling for layer in spec.layers
            ]
            logits[spec.name] = self.heads[spec.name](torch.cat(parts, dim=-1)).float()
        return logits, functional.normalize(pooled[self.trunk.layers], dim=-1)

    def embed(self, states: Tensor, mask: Tensor) -> Tensor:
        """The embeddings alone."""
        return functional.normalize(self.mean(states, mask), dim=-1)

    def mean(self, states: Tensor, mask: Tensor) -> Tensor:
        """The last layer's mean over the tokens of each window, of any length."""
        return _mean(self.trunk.above(states, mask)[self.trunk.layers], mask)

    def head_weights(self) -> State:
        """The heads' weights, as the artefact names them."""
        return {name: value.detach().float().cpu().numpy() for name, value in self.heads.state_dict().items()}

    def _pooled_layers(self) -> set[int]:
        used = {layer for spec in self.specs if "mean" in spec.pooling for layer in spec.layers}
        return used | {self.trunk.layers}


def _pool(states: Tensor, mean: Tensor | None, pooling: Pooling) -> Tensor:
    match pooling:
        case "first":
            return states[:, 0].float()
        case "token":
            return states.float()
        case "mean":
            if mean is None:
                raise ValueError("no mean of this layer was taken")
            return mean


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    weights = mask.unsqueeze(-1).float()
    return (states.float() * weights).sum(1) / weights.sum(1)
