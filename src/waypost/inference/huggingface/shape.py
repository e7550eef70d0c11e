"""What ``config.json`` says of a model, as far as the graph depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from waypost.config.suggest import did_you_mean
from waypost.errors import SetupError
from waypost.inference.huggingface.rope import Rope, read_ropes

__all__ = ["BertShape", "ModernBertShape", "Shape", "Task", "read_shape"]

Task = Literal["sequence", "token"]

_TASKS: Final[dict[str, Task]] = {"ForSequenceClassification": "sequence", "ForTokenClassification": "token"}
_PEFT_TASKS: Final[dict[str, Task]] = {"SEQ_CLS": "sequence", "TOKEN_CLS": "token"}
_ROBERTA: Final = ("roberta", "xlm-roberta")
_KNOWN: Final = ("bert", *_ROBERTA, "modernbert")


@dataclass(frozen=True, slots=True)
class Shape:
    """What all architectures have."""

    architecture: str
    """Hugging Face's ``model_type``."""
    task: Task
    hidden: int
    layers: int
    heads: int
    positions: int
    """The longest sequence, special tokens included."""
    epsilon: float
    """Of every layer norm."""
    pooling: Literal["pooler", "first", "mean", "none"]
    """From token states to the state that is classified: BERT's pooler, the first token, the mean; none for tokens."""


@dataclass(frozen=True, slots=True)
class BertShape(Shape):
    """BERT, RoBERTa and XLM-R: post-layer-norm, learnt positions."""

    first_position: int
    """The row of the first token in the table of positions; RoBERTa's begin after the padding's."""


@dataclass(frozen=True, slots=True)
class ModernBertShape(Shape):
    """ModernBERT: pre-layer-norm, rotary positions, most layers see only their neighbourhood."""

    local_layers: tuple[bool, ...]
    """For each layer, whether it is one of them."""
    reach: int
    """How many tokens a local layer sees to each side."""
    local_rope: Rope
    global_rope: Rope


def read_shape(config: dict[str, Any], path: Path, peft_task: str | None = None) -> Shape:
    """Read ``config``, the content of ``path``. ``peft_task`` is that of an adapter, whose base need not have one.

    Raises SetupError for a model that waypost does not run.
    """
    try:
        return _read(config, peft_task)
    except (KeyError, TypeError, AttributeError) as error:
        raise SetupError(f"{path} is not the configuration of a classifier: {error!r}") from error
    except ValueError as error:
        raise SetupError(f"{path}: {error}") from None


def _read(config: dict[str, Any], peft_task: str | None) -> Shape:
    architecture = str(config.get("model_type"))
    if architecture not in _KNOWN:
        raise ValueError(f"waypost does not run {architecture!r} models{did_you_mean('', _KNOWN)}")
    if config.get("problem_type") in ("multi_label_classification", "regression"):
        raise ValueError(f"a model for {config['problem_type']} does not choose one label")
    task = _task(config, peft_task)
    if architecture == "modernbert":
        return _modernbert(config, task)
    return _bert(config, task)


def _task(config: dict[str, Any], peft_task: str | None) -> Task:
    if peft_task is not None:
        if peft_task not in _PEFT_TASKS:
            raise ValueError(f"the adapter is for {peft_task}, not for SEQ_CLS or TOKEN_CLS")
        return _PEFT_TASKS[peft_task]
    names = config.get("architectures") or ["nothing"]
    found = [task for suffix, task in _TASKS.items() if str(names[0]).endswith(suffix)]
    if not found:
        raise ValueError(f"{names[0]} is not a model for sequence or token classification")
    return found[0]


def _bert(config: dict[str, Any], task: Task) -> BertShape:
    _require(config, "hidden_act", "gelu")
    _require(config, "position_embedding_type", "absolute")
    roberta = config["model_type"] in _ROBERTA
    first = _whole(config, "pad_token_id", 1) + 1 if roberta else 0
    pooling: Literal["first", "pooler"] = "first" if roberta else "pooler"
    return BertShape(
        **_common(config),
        task=task,
        positions=_whole(config, "max_position_embeddings") - first,
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
        pooling="none" if task == "token" else pooling,
        first_position=first,
    )


def _modernbert(config: dict[str, Any], task: Task) -> ModernBertShape:
    _require(config, "hidden_activation", "gelu")
    _require(config, "classifier_activation", "gelu")
    layers = _whole(config, "num_hidden_layers")
    every = int(config.get("global_attn_every_n_layers", 3))
    kinds = config.get("layer_types") or ["sliding_attention" if layer % every else "" for layer in range(layers)]
    local_rope, global_rope = read_ropes(config)
    pooling = config.get("classifier_pooling", "cls")
    if pooling not in ("cls", "mean") or len(kinds) != layers:
        raise ValueError("classifier_pooling must be cls or mean, and layer_types name each layer")
    return ModernBertShape(
        **_common(config),
        task=task,
        positions=_whole(config, "max_position_embeddings"),
        epsilon=float(config.get("norm_eps", 1e-5)),
        pooling="none" if task == "token" else "first" if pooling == "cls" else "mean",
        local_layers=tuple(kind == "sliding_attention" for kind in kinds),
        reach=_whole(config, "local_attention", 128) // 2,
        local_rope=local_rope,
        global_rope=global_rope,
    )


def _common(config: dict[str, Any]) -> dict[str, Any]:
    hidden, heads = _whole(config, "hidden_size"), _whole(config, "num_attention_heads")
    if hidden % heads:
        raise ValueError(f"hidden_size {hidden} cannot be divided among {heads} heads")
    layers = _whole(config, "num_hidden_layers")
    return {"architecture": config["model_type"], "hidden": hidden, "layers": layers, "heads": heads}


def _whole(config: dict[str, Any], key: str, default: int | None = None) -> int:
    value = config[key] if default is None else config.get(key, default)
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{key} must be a whole number, not {value!r}")
    return value


def _require(config: dict[str, Any], key: str, only: str) -> None:
    if (value := config.get(key, only)) != only:
        raise ValueError(f"waypost runs models with {key} {only!r}, not {value!r}")
