"""Tiny random models of each architecture, made by transformers itself; without it these tests are skipped."""

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from waypost.config import schema
from waypost.inference.huggingface.classifier import SequenceClassifier, TokenClassifier
from waypost.inference.huggingface.export import export

TEXTS = (
    "What is the derivative of x^2?",
    "Is a verbal contract enforceable in court?",
    "我的名字是李雷, my mail is lee@example.com 😀.",
    " ".join(f"{number} is not {number * 7 % 13}, sir." for number in range(20)),
    "a",
)
LABELS = {"sequence": ("math", "law", "other"), "token": ("O", "B-PERSON", "I-PERSON", "B-EMAIL", "I-EMAIL")}
SIZES = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 48}
CLASSES = {"bert": "Bert", "roberta": "Roberta", "xlm-roberta": "XLMRoberta", "modernbert": "ModernBert"}
SUFFIXES = {"sequence": "ForSequenceClassification", "token": "ForTokenClassification"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """Exports of this test only."""
    monkeypatch.setenv("WAYPOST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def torch():
    return pytest.importorskip("torch", reason="needs the extra train")


@pytest.fixture(scope="session")
def transformers(torch):
    return pytest.importorskip("transformers", reason="needs the extra train")


@pytest.fixture
def texts() -> tuple[str, ...]:
    return TEXTS


@pytest.fixture
def labels() -> dict[str, tuple[str, ...]]:
    return LABELS


@cache
def _tokenizer(architecture: str) -> str:
    """Train the kind of tokenizer that the architecture has; as JSON."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    def framed(first: str, last: str, tokenizer: Tokenizer) -> Any:
        ids = [(token, tokenizer.token_to_id(token)) for token in (first, last)]
        return processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=ids)

    if architecture == "bert":
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
        trainer = trainers.WordPieceTrainer(vocab_size=150, special_tokens=special)
    elif architecture == "xlm-roberta":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        special = ["<s>", "<pad>", "</s>", "<unk>"]
        trainer = trainers.UnigramTrainer(vocab_size=150, special_tokens=special, unk_token="<unk>")
    else:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        special = ["<s>", "<pad>", "</s>", "<unk>"] if architecture == "roberta" else ["[CLS]", "[PAD]", "[SEP]"]
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        )
    tokenizer.train_from_iterator(TEXTS, trainer)
    first, last = ("[CLS]", "[SEP]") if special[0].startswith("[") else ("<s>", "</s>")
    tokenizer.post_processor = (
        processors.RobertaProcessing((last, tokenizer.token_to_id(last)), (first, tokenizer.token_to_id(first)))
        if architecture == "roberta"
        else framed(first, last, tokenizer)
    )
    tokenizer.enable_truncation(10)  # as many files on the hub do; waypost must not obey
    return tokenizer.to_str()


def _config(transformers: Any, architecture: str, vocabulary: int, labels: tuple[str, ...], **more: Any) -> Any:
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
    sizes = SIZES | {"vocab_size": vocabulary, "max_position_embeddings": 300}
    if architecture == "modernbert":
        # A neighbourhood far shorter than the texts, and two local layers for each global one.
        more = {"local_attention": 8, "global_attn_every_n_layers": 3, "pad_token_id": 1} | more
        special = {"cls_token_id": 0, "bos_token_id": 0, "sep_token_id": 2, "eos_token_id": 2}
        return transformers.ModernBertConfig(**sizes, **special, **names, **more)
    config = getattr(transformers, f"{CLASSES[architecture]}Config")
    return config(**sizes, pad_token_id=0 if architecture == "bert" else 1, **names, **more)


def _randomise(torch: Any, model: Any, seed: int = 0) -> None:
    """Weights large enough that every part of the model shows in the logits."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            is_scale = name.endswith("weight") and parameter.dim() == 1
            parameter.copy_(1 + 0.2 * noise if is_scale else 0.25 * noise)


@pytest.fixture
def make_model(tmp_path, torch, transformers) -> Callable[..., Path]:
    """Save a random model in Hugging Face's layout and return its directory."""

    def make(architecture: str, task: str = "sequence", name: str = "model", **config: Any) -> Path:
        directory = tmp_path / name
        directory.mkdir(parents=True, exist_ok=True)
        tokenizer = _tokenizer(architecture)
        vocabulary = len(json.loads(tokenizer)["model"]["vocab"])
        settings = _config(transformers, architecture, vocabulary, LABELS[task], **config)
        model = getattr(transformers, CLASSES[architecture] + SUFFIXES[task])(settings)
        _randomise(torch, model)
        model.eval().save_pretrained(directory)
        (directory / "tokenizer.json").write_text(tokenizer)
        return directory

    return make


@pytest.fixture
def reference(torch, transformers) -> Callable[..., list[Any]]:
    """Logits of transformers, float32, text by text, with the ids of the whole text."""

    def logits(directory: Path, texts: tuple[str, ...], model: Any = None, task: str = "sequence") -> list[Any]:
        from tokenizers import Tokenizer

        auto = getattr(transformers, f"AutoModel{SUFFIXES[task]}")
        model = (model or auto.from_pretrained(directory, attn_implementation="eager")).eval()
        tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        tokenizer.no_truncation()
        with torch.no_grad():
            encoded = [torch.tensor([tokenizer.encode(text).ids]) for text in texts]
            return [model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].numpy() for ids in encoded]

    return logits


@pytest.fixture
def limits() -> schema.Encoder:
    return schema.Encoder(deadline="60s", threads=1)


@pytest.fixture
def load(limits):
    """Load a classifier; closed when the test ends."""
    loaded = []

    def load(directory: Path | str, task: str = "sequence", **settings: Any) -> Any:
        kind = SequenceClassifier if task == "sequence" else TokenClassifier
        loaded.append(kind.load(schema.Classifier(model=str(directory), **settings), limits, lambda line: None))
        return loaded[-1]

    yield load
    for classifier in loaded:
        classifier.close()


@pytest.fixture
def exported() -> Callable[..., Path]:
    """Export with these settings."""

    def run(directory: Path | str, **settings: Any) -> Path:
        return export(schema.Classifier(model=str(directory), **settings), lambda line: None)

    return run


@pytest.fixture
def copy(tmp_path) -> Callable[[Path, str], Path]:
    def copy(directory: Path, name: str) -> Path:
        return Path(shutil.copytree(directory, tmp_path / name))

    return copy
