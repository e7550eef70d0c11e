"""From a bundle to a directory with an ONNX graph, its tokenizer and a manifest; once for each set of files."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from waypost.config import schema
from waypost.errors import InferenceError, SetupError
from waypost.inference.huggingface.bundle import Bundle, read_bundle
from waypost.inference.huggingface.folder import TOKENIZER
from waypost.inference.huggingface.manifest import LOGITS, MODEL, Exported, verify
from waypost.inference.huggingface.shape import BertShape, ModernBertShape
from waypost.inference.huggingface.tokenization import JsonTokenizer
from waypost.inference.manifest import FileDigest, file_digest
from waypost.inference.once import Progress, home, make_once
from waypost.inference.session import Session

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["export"]

_TRIAL: Final = "Is this a test?"
_LARGEST: Final = 2**31 - 1
"""Bytes of a protobuf message."""


def export(settings: schema.Classifier, progress: Progress) -> Path:
    """Make sure that the classifier is exported, and return the directory to load.

    Files that changed give another directory; an export that was damaged is made again. The first call for a
    BERT-base takes some 20 seconds and 2 GB of memory, later ones half a second to check the files. Raises SetupError.
    """
    bundle = read_bundle(settings)
    wanted = bundle.describe()
    start = time.perf_counter()

    def is_ready(directory: Path) -> bool:
        try:
            return verify(directory).digest == wanted.digest
        except SetupError:
            return False

    def make(made: Path) -> None:
        progress(f"converting {settings.model} to {wanted.precision} ONNX (once)")
        files = _build(bundle, wanted, made)
        replace(wanted, files=files).write(made)
        size, seconds = sum(file.bytes for file in files.values()) / 1e6, time.perf_counter() - start
        progress(f"converted {settings.model} in {seconds:.0f} s ({size:.0f} MB)")

    target = home() / "classifiers" / wanted.digest[:16]
    return make_once(target, is_ready=is_ready, make=make, progress=progress)


def _build(bundle: Bundle, wanted: Exported, made: Path) -> dict[str, FileDigest]:
    """Fill ``made``, and try what it holds once."""
    tokenizer = JsonTokenizer(bundle.tokenizer)
    _write(_graph(bundle, tokenizer), made / MODEL, int8=wanted.precision == "int8")
    shutil.copyfile(bundle.tokenizer, made / TOKENIZER)
    ids = (*tokenizer.before, *tokenizer.tokenize(_TRIAL).ids, *tokenizer.after)[: wanted.longest]
    _try(Session.load(made / MODEL), ids, wanted)
    return {name: file_digest(made / name) for name in (MODEL, TOKENIZER)}


def _graph(bundle: Bundle, tokenizer: JsonTokenizer) -> ModelProto:
    # Here, because only an export needs onnx, which takes a third of a second to import.
    from waypost.inference.huggingface.bert import build_bert
    from waypost.inference.huggingface.modernbert import build_modernbert

    tensors, labels, int8 = bundle.tensors(), len(bundle.labels), bundle.settings.precision == "int8"
    match bundle.shape:
        case BertShape() as shape:
            words = tensors["embeddings.word_embeddings.weight"]
            graph = build_bert(tensors, shape, labels, int8=int8)
        case ModernBertShape() as shape:
            words = tensors["embeddings.tok_embeddings.weight"]
            graph = build_modernbert(tensors, shape, labels, longest=bundle.longest, int8=int8)
        case other:
            raise TypeError(other)
    if tokenizer.size > len(words):
        raise SetupError(f"{bundle.tokenizer} has {tokenizer.size} tokens, but the model knows {len(words)}")
    return graph


def _write(graph: ModelProto, path: Path, *, int8: bool) -> None:
    if graph.ByteSize() > _LARGEST:
        raise SetupError("the model is larger than 2 GB, which no ONNX file can hold (precision: int8 needs least)")
    if int8:
        from waypost.inference.quantise import quantise_matrices

        quantise_matrices(graph, path)
    else:
        path.write_bytes(graph.SerializeToString())


def _try(session: Session, ids: Sequence[int], wanted: Exported) -> None:
    """Run one text: shapes that do not fit, or weights that are not numbers, show here and not in a request."""
    rows = 1 if wanted.task == "sequence" else len(ids)
    try:
        logits = session.run(ids)[LOGITS]
    except InferenceError as error:
        raise SetupError(f"the weights of {wanted.model} do not fit its configuration: {error}") from error
    if logits.shape != (rows, len(wanted.labels)) or not np.isfinite(logits).all():
        raise SetupError(f"the weights of {wanted.model} do not give a number for each label")
