"""The encoder in torch, split where training begins: below nothing changes, so its output can be kept."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from waypost.inference.architecture import Architecture
from waypost.learn.base import Base

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

__all__ = ["Trunk", "bert"]


def bert(base: Base) -> PreTrainedModel:
    """Build transformers' ``BertModel`` from the base's weights, without its pooler."""
    from transformers import BertModel

    with torch.device("meta"):
        model = BertModel(_config(base.architecture), add_pooling_layer=False)
    state = {name: torch.tensor(value) for name, value in base.state.items()}
    # Torch's fused attention is three times slower in bfloat16 on a CPU.
    model.set_attn_implementation("eager")
    model.to_empty(device="cpu")
    missing = model.load_state_dict(state, strict=False).missing_keys
    if missing:
        raise ValueError(f"the base lacks {missing}")
    for name, buffer in model.named_buffers():
        fill = torch.arange(buffer.numel()) if name.endswith("position_ids") else torch.zeros(buffer.numel())
        buffer.copy_(fill.view_as(buffer))
    return model


def _config(shape: Architecture) -> Any:  # noqa: ANN401 - transformers is imported late
    from transformers import BertConfig

    return BertConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions,
        layer_norm_eps=shape.epsilon,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        # Dropout costs a third of the time on a CPU; the adapters are small and stopped early.
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


class Trunk(nn.Module):
    """A BERT, RoBERTa or XLM-R encoder whose first ``frozen`` layers are never trained."""

    def __init__(self, model: PreTrainedModel, frozen: int, adapters: PeftModel | None = None) -> None:
        """Wrap ``model``; ``adapters`` is what :func:`waypost.learn.lora.adapt` put into it, if it did."""
        super().__init__()
        self.model = model
        self.adapters = adapters
        self.frozen = frozen
        self.layers: int = model.config.num_hidden_layers
        self.hidden: int = model.config.hidden_size

    @torch.no_grad()
    def below(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Compute hidden states[batch, tokens, hidden] after the frozen layers.

        ``mask`` is true at tokens, false at padding.
        """
        states, barrier = self._inside.embeddings(input_ids=ids), _barrier(mask)
        for layer in self._inside.encoder.layer[: self.frozen]:
            states = _first(layer(states, attention_mask=barrier))
        result: Tensor = states
        return result

    def above(self, states: Tensor, mask: Tensor) -> dict[int, Tensor]:
        """Hidden states by layer, from those of :meth:`below`."""
        found, barrier = {self.frozen: states}, _barrier(mask)
        for number, layer in enumerate(self._inside.encoder.layer[self.frozen :], self.frozen + 1):
            states = _first(layer(states, attention_mask=barrier))
            found[number] = states
        return found

    @property
    def _inside(self) -> Any:  # noqa: ANN401 - transformers' type says nothing of its parts
        return self.model

    def untrained(self) -> AbstractContextManager[None]:
        """Within this context the trunk answers as it did before training."""
        return self.adapters.disable_adapter() if self.adapters is not None else nullcontext()


def _barrier(mask: Tensor) -> Tensor:
    """What is added to attention scores: nothing at tokens, far too little to matter at padding."""
    return torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, torch.finfo(torch.bfloat16).min)[
        :, None, None, :
    ]


def _first(output: Any) -> Tensor:  # noqa: ANN401 - a tensor or a tuple, by version of transformers
    found: Tensor = output[0] if isinstance(output, tuple) else output
    return found
