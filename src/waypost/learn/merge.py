"""From a model in training to an artefact: adapters folded into the trunk's matrices, and the adapters alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import PeftModel

from waypost.inference.architecture import Floats, State
from waypost.learn.artefact import Artefact, write
from waypost.learn.lora import LoraSettings
from waypost.learn.multitask import MultiTask

__all__ = ["export", "merged_state"]


def merged_state(adapters: PeftModel) -> State:
    """Compute the trunk's weights with every adapter folded in; ``adapters`` stays as it is."""
    model = adapters.get_base_model()
    state: State = {}
    for name, value in model.state_dict().items():
        if ".lora_" not in name and not name.endswith("_ids"):
            state[name.replace(".base_layer.", ".")] = _array(value)
    for name, module in model.named_modules():
        if hasattr(module, "get_delta_weight"):
            state[f"{name}.weight"] = state[f"{name}.weight"] + _array(module.get_delta_weight("default"))
    return state


def export(
    model: MultiTask, tokenizer: bytes, settings: LoraSettings, directory: Path, training: dict[str, Any]
) -> None:
    """Write the whole artefact of a model with adapters into ``directory``."""
    adapters = model.trunk.adapters
    if adapters is None:
        raise ValueError("the model has no adapters to merge")
    artefact = Artefact(
        config=json.loads(model.trunk.model.config.to_json_string(use_diff=False)),
        trunk=merged_state(adapters),
        heads=model.specs,
        weights=model.head_weights(),
        tokenizer=tokenizer,
    )
    lora: Any = adapters.peft_config["default"]
    facts = {"rank": lora.r, "alpha": lora.lora_alpha, "dropout": lora.lora_dropout}
    facts |= {"target_modules": sorted(lora.target_modules), "from_layer": settings.from_layer}
    write(artefact, directory, lora=facts, training=training)
    _write_adapter(adapters, directory / "adapter")


def _write_adapter(adapters: PeftModel, directory: Path) -> None:
    adapters.save_pretrained(str(directory), safe_serialization=True)
    (directory / "README.md").unlink(missing_ok=True)  # a template with nothing in it


def _array(value: torch.Tensor) -> Floats:
    return np.ascontiguousarray(value.detach().float().cpu().numpy())
