"""The trained multi-task model on disk. Training writes this directory; export and calibration read it.

::

    model.safetensors           the trunk with LoRA merged, Hugging Face ``BertModel`` naming, float32:
                                embeddings.word_embeddings.weight, encoder.layer.0.attention.self.query.weight, …
    heads.safetensors           NAME.weight float32[labels, width * hidden] and NAME.bias float32[labels] of each head
    config.json                 the trunk's ``config.json`` as transformers writes it, plus ``waypost`` (below)
    adapter/                    LoRA alone in PEFT's layout: adapter_model.safetensors, adapter_config.json
    lora_config.json            rank, alpha, dropout, target modules: its presence marks a LoRA model
    category_mapping.json       {category_to_idx, idx_to_category}
    jailbreak_type_mapping.json, pii_type_mapping.json       {label_to_idx, idx_to_label}
    label_mapping.json          the mapping of the only task, or of domains, as VSR's trainers write it
    sentencepiece.model         the tokenizer; its ids are the rows of the word table
    tokenizer.json, tokenizer_config.json       the same tokenizer for Hugging Face's libraries
    training.json               data digest, seed, hyper-parameters, loss curve, dev scores by epoch

``config.json["waypost"]``::

    {"prefix": "query: ",                        put before every window, after the first special token
     "window": 126, "overlap": 16,               as in inference/recipe.py
     "embedding": {"layer": 12, "pooling": "mean"},   then scaled to length 1; windows are averaged by length
     "heads": [{"name": "domain", "layers": [6, 8, 10, 12], "pooling": ["mean"], "id2label": {"0": "biology", …}}, …]}

A head is ``logits = weight @ features + bias``. Its features are hidden states side by side, ordered by pooling, then
by layer; layer 0 is the embedding layer's output, 12 the last layer's. ``mean`` averages all tokens of the sequence,
prefix and special tokens included; ``first`` is token 0's state; ``token`` gives every token its own logits.
Over windows: ``domain`` averages logits by window length; ``jailbreak`` and ``indirect`` take the window with the least
probability of ``benign``; ``pii`` (BIO tags) unites spans. Softmax everywhere, ``indirect`` too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

from waypost.errors import SetupError
from waypost.inference.architecture import State
from waypost.inference.recipe import OVERLAP, PREFIX, WINDOW
from waypost.learn.heads import HeadSpec
from waypost.learn.hugging import tokenizer_config, tokenizer_json

__all__ = ["Artefact", "add_heads", "read", "write"]

_MODEL, _HEADS, _CONFIG, _TOKENIZER = "model.safetensors", "heads.safetensors", "config.json", "sentencepiece.model"


@dataclass(frozen=True, slots=True, eq=False)
class Artefact:
    """A trained model in memory."""

    config: dict[str, Any]
    """The trunk's configuration as transformers has it."""
    trunk: State
    heads: tuple[HeadSpec, ...]
    weights: State
    """``NAME.weight`` and ``NAME.bias`` of every head."""
    tokenizer: bytes


def write(artefact: Artefact, directory: Path, *, lora: dict[str, Any], training: dict[str, Any]) -> None:
    """Write all but ``adapter/`` into ``directory``, which is made when missing."""
    directory.mkdir(parents=True, exist_ok=True)
    # Clients of safetensors ask for this tag.
    save_file(artefact.trunk, directory / _MODEL, metadata={"format": "pt"})
    save_file(artefact.weights, directory / _HEADS, metadata={"format": "pt"})
    _write_tokenizer(artefact, directory)
    _dump(directory / _CONFIG, artefact.config | {"waypost": _reading(artefact)})
    _dump(directory / "lora_config.json", lora)
    _dump(directory / "training.json", training)
    for head in artefact.heads:
        _write_mapping(head, directory)
    if artefact.heads:
        _dump(directory / "label_mapping.json", _label_mapping(artefact.heads[0]))


def read(directory: Path) -> Artefact:
    """Read what :func:`write` wrote. Raises SetupError when it is not such a directory."""
    try:
        config = json.loads((directory / _CONFIG).read_text("utf-8"))
        heads = tuple(HeadSpec.from_json(head) for head in config.pop("waypost")["heads"])
        trunk, weights = load_file(directory / _MODEL), load_file(directory / _HEADS)
        return Artefact(config, trunk, heads, weights, (directory / _TOKENIZER).read_bytes())
    except (OSError, KeyError, ValueError) as error:
        raise SetupError(f"{directory} does not hold a trained model: {error}") from error


def add_heads(directory: Path, heads: Sequence[HeadSpec], weights: State) -> None:
    """Put heads into the artefact in ``directory``; those with the same names are replaced."""
    artefact = read(directory)
    names = {head.name for head in heads}
    kept = [head for head in artefact.heads if head.name not in names]
    old = {name: value for name, value in artefact.weights.items() if name.rpartition(".")[0] not in names}
    new = replace(artefact, heads=(*kept, *heads), weights=old | weights)
    save_file(new.weights, directory / _HEADS, metadata={"format": "pt"})
    _dump(directory / _CONFIG, new.config | {"waypost": _reading(new)})


def _reading(artefact: Artefact) -> dict[str, Any]:
    embedding = {"layer": artefact.config["num_hidden_layers"], "pooling": "mean"}
    facts = {"prefix": PREFIX, "window": WINDOW, "overlap": OVERLAP, "embedding": embedding}
    return facts | {"heads": [head.to_json() for head in artefact.heads]}


def _write_tokenizer(artefact: Artefact, directory: Path) -> None:
    (directory / _TOKENIZER).write_bytes(artefact.tokenizer)
    # One line: a quarter million pieces on four lines each are no easier to read.
    text = json.dumps(tokenizer_json(artefact.tokenizer), ensure_ascii=False)
    (directory / "tokenizer.json").write_text(text, encoding="utf-8")
    positions = len(artefact.trunk["embeddings.position_embeddings.weight"])
    _dump(directory / "tokenizer_config.json", tokenizer_config(artefact.tokenizer, positions))


def _label_mapping(head: HeadSpec) -> dict[str, Any]:
    numbers, names = _both_ways(head)
    if head.name == "domain":
        return {"category_to_idx": numbers, "idx_to_category": names}
    return {"label_to_id": numbers, "id_to_label": names}


def _both_ways(head: HeadSpec) -> tuple[dict[str, int], dict[str, str]]:
    numbers = {label: index for index, label in enumerate(head.labels)}
    return numbers, {str(index): label for label, index in numbers.items()}


def _write_mapping(head: HeadSpec, directory: Path) -> None:
    numbers, names = _both_ways(head)
    match head.name:
        case "domain":
            _dump(directory / "category_mapping.json", {"category_to_idx": numbers, "idx_to_category": names})
        case "jailbreak" | "pii":
            name = f"{head.name}_type_mapping.json"
            _dump(directory / name, {"label_to_idx": numbers, "idx_to_label": names})


def _dump(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
