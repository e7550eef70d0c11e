"""Which matrices of an encoder LoRA adapts, and how strongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from waypost.errors import SetupError

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

__all__ = ["TARGETS", "LoraSettings", "adapt"]

_BERT: Final = ("query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense")
TARGETS: Final[dict[str, tuple[str, ...]]] = {
    "bert": _BERT,
    "roberta": _BERT,
    "xlm-roberta": _BERT,
    "modernbert": ("attn.Wqkv", "attn.Wo", "mlp.Wi", "mlp.Wo"),
}
"""All matrices of a layer, by the architecture's name in ``config.json``."""
_LAYERS: Final = {"modernbert": "layers"}
"""What the list of layers is called, where it is not ``layer``."""


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """Size of the adapter. ``targets`` is empty for every matrix of the architecture."""

    rank: int = 32
    alpha: int = 64
    """The adapter's output is scaled by ``alpha / rank``."""
    dropout: float = 0.0
    """0 by default: on a CPU it costs half as much time again, and early stopping does its work."""
    targets: tuple[str, ...] = ()
    from_layer: int = 0
    """Layers below stay as they are; 0 adapts all."""


def adapt(model: PreTrainedModel, settings: LoraSettings) -> PeftModel:
    """Put adapters into ``model``, in place, and freeze all else. Raises SetupError for an unknown architecture."""
    from peft import LoraConfig, get_peft_model

    config: Any = model.config
    targets = settings.targets or TARGETS.get(config.model_type)
    if targets is None:
        raise SetupError(f"no LoRA targets are known for {config.model_type}; name them in the settings")
    return get_peft_model(
        model,
        LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules=list(targets),
            layers_to_transform=list(range(settings.from_layer, config.num_hidden_layers)),
            layers_pattern=_LAYERS.get(config.model_type, "layer"),
        ),
    )
