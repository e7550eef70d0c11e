"""Every architecture against transformers itself."""

import numpy as np
import pytest

from waypost.inference.huggingface.reader import Reader

ARCHITECTURES = ("bert", "roberta", "xlm-roberta", "modernbert")


@pytest.fixture
def logits(exported, limits):
    """Logits of an exported model for texts that fit into one window, special tokens left out."""
    readers = []

    async def logits(directory, texts, **settings):
        readers.append(reader := Reader.load(exported(directory, **settings), limits))
        return [(await reader.read(text)).logits[0] for text in texts]

    yield logits
    for reader in readers:
        reader.close()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
async def test_sequence_logits_are_those_of_transformers(architecture, make_model, reference, logits, texts):
    directory = make_model(architecture)
    expected = reference(directory, texts)
    found = await logits(directory, texts, precision="fp32", window=300)
    assert max(np.ptp(row) for row in expected) > 0.5
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-3)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
async def test_token_logits_are_those_of_transformers(architecture, make_model, reference, logits, texts):
    directory = make_model(architecture, "token")
    expected = reference(directory, texts, task="token")
    found = await logits(directory, texts, precision="fp32", window=300)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other[1:-1], atol=1e-3)


@pytest.mark.parametrize("task", ["sequence", "token"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
async def test_int8_gives_the_same_labels(architecture, task, make_model, reference, logits, texts):
    directory = make_model(architecture, task)
    rows = reference(directory, texts, task=task)
    expected = np.concatenate([np.atleast_2d(row if task == "sequence" else row[1:-1]) for row in rows])
    found = np.concatenate(await logits(directory, texts, precision="int8", window=300))
    # Random weights leave many tokens between two labels; int8 need not break a tie in the same way.
    second, first = np.sort(expected, axis=-1)[:, -2:].T
    clear = first - second > 0.05 * np.ptp(expected)
    assert clear.mean() > 0.2
    assert (expected.argmax(-1) == found.argmax(-1))[clear].all()


@pytest.mark.parametrize(
    "changes",
    [
        {"classifier_pooling": "mean"},
        {"attention_bias": True, "mlp_bias": True, "norm_bias": True, "classifier_bias": True},
        {"local_attention": 16, "global_attn_every_n_layers": 2},
        {"layer_types": ["sliding_attention"] * 3 + ["full_attention"]},
        {
            "rope_parameters": {
                "full_attention": {
                    "rope_type": "yarn",
                    "rope_theta": 160000.0,
                    "factor": 4.0,
                    "original_max_position_embeddings": 64,
                },
                "sliding_attention": {"rope_type": "default", "rope_theta": 500.0},
            }
        },
    ],
    ids=["mean pooling", "biases", "another rhythm", "explicit layers", "yarn"],
)
async def test_modernbert_as_its_configuration_says(changes, make_model, reference, logits, texts):
    directory = make_model("modernbert", **changes)
    found = await logits(directory, texts, precision="fp32", window=300)
    np.testing.assert_allclose(np.concatenate(found), reference(directory, texts), atol=1e-3)


async def test_half_precision_weights(torch, transformers, make_model, reference, logits, texts):
    directory = make_model("bert")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(directory).to(torch.bfloat16)
    model.save_pretrained(directory)
    expected = reference(directory, texts, model=model.to(torch.float32))
    found = await logits(directory, texts, precision="fp32", window=300)
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-3)


async def test_shards(transformers, make_model, reference, logits, texts):
    directory = make_model("roberta")
    expected = reference(directory, texts)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(directory)
    (directory / "model.safetensors").unlink()
    model.save_pretrained(directory, max_shard_size="20KB")
    assert len(list(directory.glob("model-*.safetensors"))) > 1
    found = await logits(directory, texts, precision="fp32", window=300)
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-3)
