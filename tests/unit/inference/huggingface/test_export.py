"""Once for each set of files, verified, and never half."""

import json
import sys

import numpy as np
import pytest

from waypost.errors import SetupError
from waypost.inference.huggingface.manifest import verify
from waypost.inference.huggingface.reader import Reader


@pytest.fixture
def directory(make_model):
    return make_model("bert")


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_manifest_says_what_was_made_of_what(directory, exported, labels):
    made = verify(exported(directory, prefix="query: ", window=64))
    assert (made.architecture, made.task, made.pooling, made.labels) == (
        "bert",
        "sequence",
        "pooler",
        labels["sequence"],
    )
    assert (made.prefix, made.longest, made.precision) == ("query: ", 64, "int8")
    assert sorted(made.sources) == ["model/config.json", "model/model.safetensors", "model/tokenizer.json"]
    assert sorted(made.files) == ["model.onnx", "tokenizer.json"]


def test_it_is_exported_once(directory, exported):
    first = exported(directory)
    made = (first / "model.onnx").stat().st_mtime_ns
    assert exported(directory) == first
    assert (first / "model.onnx").stat().st_mtime_ns == made


def test_anything_that_matters_gives_another_export(directory, exported, tmp_path):
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"x": 0, "y": 1, "z": 2}))
    found = [
        exported(directory, **settings)
        for settings in ({}, {"precision": "fp32"}, {"window": 64}, {"prefix": "q"}, {"mapping": str(mapping)})
    ]
    edit(directory / "config.json", layer_norm_eps=1e-5)
    found.append(exported(directory))
    assert len(set(found)) == len(found)


def test_the_same_model_elsewhere_is_the_same_export(directory, exported, copy):
    assert exported(directory) == exported(copy(directory, "elsewhere"))


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "manifest.json"])
def test_a_poisoned_export_is_refused_and_made_again(name, directory, exported, limits):
    made = exported(directory)
    content = (made / name).read_bytes()
    poisoned = content.replace(b'"law"', b'"lew"') if name == "manifest.json" else content[:-1] + b"\x00"
    (made / name).write_bytes(poisoned)
    with pytest.raises(SetupError, match=rf"{name} (is missing or )?was changed; delete"):
        Reader.load(made, limits)
    assert exported(directory) == made
    Reader.load(made, limits).close()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(name, directory, exported):
    (directory / name).unlink()
    with pytest.raises(SetupError, match=rf"has no {name}"):
        exported(directory)


def test_a_pickle_is_refused(directory, exported):
    (directory / "model.safetensors").rename(directory / "pytorch_model.bin")
    with pytest.raises(SetupError, match=r"pytorch_model\.bin is a pickle, .* safe_serialization=True"):
        exported(directory)


def test_an_index_cannot_lead_out_of_the_folder(directory, exported):
    (directory / "model.safetensors").unlink()
    index = {"weight_map": {"a": "../secret.safetensors"}}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(SetupError, match="files beside it"):
        exported(directory)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"model_type": "deberta-v2"}, r"does not run 'deberta-v2' models \(known: bert, roberta, xlm-roberta, mode"),
        ({"architectures": ["BertForMaskedLM"]}, "BertForMaskedLM is not a model for sequence or token"),
        ({"architectures": None}, "not a model for sequence or token"),
        ({"problem_type": "multi_label_classification"}, "does not choose one label"),
        ({"hidden_act": "relu"}, "models with hidden_act 'gelu', not 'relu'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'absolute'"),
        ({"num_attention_heads": 5}, "cannot be divided among 5 heads"),
        ({"hidden_size": "32"}, "hidden_size must be a whole number, not '32'"),
        ({"num_hidden_layers": 9}, "no tensor 'encoder.layer.4"),
        ({"id2label": {"0": "a", "1": "b"}, "label2id": {"a": 0, "b": 1}}, "3 outputs, but 2 labels"),
        ({"max_position_embeddings": 8}, "too few for its prefix"),
    ],
)
def test_what_waypost_cannot_run_is_said_in_one_line(changes, message, directory, load):
    edit(directory / "config.json", **changes)
    with pytest.raises(SetupError, match=message) as error:
        load(directory)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content, message", [("{", "is not JSON"), ("[]", "does not hold a JSON object")])
def test_a_broken_configuration(content, message, directory, exported):
    (directory / "config.json").write_text(content)
    with pytest.raises(SetupError, match=message):
        exported(directory)


def test_a_broken_tokenizer(directory, exported):
    (directory / "tokenizer.json").write_text('{"model": 1}')
    with pytest.raises(SetupError, match=r"tokenizer\.json is not a tokenizer"):
        exported(directory)


def test_a_tokenizer_of_another_model(directory, make_model, exported):
    other = make_model("roberta", name="other")
    (other / "tokenizer.json").rename(directory / "tokenizer.json")
    with pytest.raises(SetupError, match=r"has 3\d\d tokens, but the model knows 1\d\d"):
        exported(directory)


def test_weights_that_are_no_numbers(directory, exported):
    numpy = pytest.importorskip("safetensors.numpy")
    tensors = numpy.load_file(directory / "model.safetensors")
    numpy.save_file(tensors | {"classifier.bias": np.full(3, np.nan, np.float32)}, directory / "model.safetensors")
    with pytest.raises(SetupError, match="do not give a number for each label"):
        exported(directory)


def test_without_the_extra_it_says_what_to_install(directory, exported, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(SetupError, match=r"tokenizers is needed .* pip install 'waypost\[models\]'"):
        exported(directory)


def test_nothing_of_torch_is_imported_to_export_and_load(directory, home):
    import subprocess

    code = (
        "import sys\n"
        "from waypost.config import schema\n"
        "from waypost.inference.huggingface.classifier import SequenceClassifier\n"
        f"settings = schema.Classifier(model={str(directory)!r})\n"
        "SequenceClassifier.load(settings, schema.Encoder(), print).close()\n"
        "print(sorted({'torch', 'transformers', 'peft', 'safetensors'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
