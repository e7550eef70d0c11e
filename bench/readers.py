"""Ways to understand a text with the three classifiers, each behind one function: text in, nothing out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from waypost.config import schema
from waypost.inference.encoder import OnnxEncoder
from waypost.inference.manifest import MODEL, TOKENIZER, Manifest
from waypost.inference.session import Session
from waypost.inference.tokenizer import Tokenizer

__all__ = ["READERS", "Read", "open_encoder"]

Read = Callable[[str], None]

_WINDOW: Final = 126
_LONGEST: Final = 512
"""What VSR cuts a text to; here the rest is read in further pieces of this length."""
_SETTINGS: Final = schema.Encoder(deadline="10m", max_windows=1000, queue=1000)


def open_encoder(weights: Path) -> OnnxEncoder:
    return OnnxEncoder.load(weights, _SETTINGS)


@contextmanager
def _waypost(weights: Path) -> Iterator[Read]:
    encoder = open_encoder(weights)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        yield lambda text: loop.run_until_complete(encoder.encode(text)) and None
    encoder.close()


@contextmanager
def _three_encoders(weights: Path) -> Iterator[Read]:
    """One model a task, as merging an adapter into a model of its own makes them."""
    encoders = [open_encoder(weights) for _ in range(3)]
    with asyncio.Runner() as runner:
        loop = runner.get_loop()

        def read(text: str) -> None:
            for encoder in encoders:
                loop.run_until_complete(encoder.encode(text))

        yield read
    for encoder in encoders:
        encoder.close()


@contextmanager
def _torch(weights: Path) -> Iterator[Read]:
    """One shared trunk of the same shape in PyTorch, full precision, in the same windows; weights are random."""
    from transformers import BertConfig, BertModel

    shape = BertConfig(
        vocab_size=1000, hidden_size=384, num_hidden_layers=12, num_attention_heads=12, intermediate_size=1536
    )
    with _in_torch(BertModel(shape).eval(), weights, _WINDOW) as read:
        yield read


@contextmanager
def _modernbert(weights: Path) -> Iterator[Read]:
    """Three models of ModernBERT-base's shape, as VSR runs them, in PyTorch and full precision; random weights."""
    from transformers import ModernBertConfig, ModernBertModel

    model = ModernBertModel(ModernBertConfig(attn_implementation="sdpa")).eval()
    with _in_torch(model, weights, _LONGEST, passes=3) as read:
        yield read


@contextmanager
def _in_torch(model: Callable[..., object], weights: Path, window: int, passes: int = 1) -> Iterator[Read]:
    import torch

    torch.set_num_threads(1)
    tokenizer = Tokenizer(weights / TOKENIZER)

    def read(text: str) -> None:
        ids = [number % 1000 for number in tokenizer.tokenize(text).ids]
        with torch.inference_mode():
            for start in range(0, len(ids), window):
                for _ in range(passes):
                    model(input_ids=torch.tensor([ids[start : start + window]]))

    yield read


@contextmanager
def _session_only(weights: Path) -> Iterator[Read]:
    """The graph alone, without event loop, queue and the joining of windows."""
    session, tokenizer = Session.load(weights / MODEL), Tokenizer(weights / TOKENIZER)
    prefix = (tokenizer.first, *tokenizer.tokenize(Manifest.read(weights).prefix).ids)

    def read(text: str) -> None:
        ids = tokenizer.tokenize(text).ids
        for start in range(0, len(ids), 107):
            session.run((*prefix, *ids[start : start + 123], tokenizer.last))

    yield read


READERS: Final = {
    "waypost": _waypost,
    "its graph alone": _session_only,
    "three separate encoders": _three_encoders,
    "PyTorch fp32, one trunk": _torch,
    "PyTorch fp32, three × ModernBERT-base": _modernbert,
}
