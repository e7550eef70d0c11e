"""LoRA adapters as PEFT writes them, against PEFT itself."""

import json
import shutil

import numpy as np
import pytest

from waypost.errors import SetupError
from waypost.inference.huggingface.adapter import merge
from waypost.inference.huggingface.reader import Reader
from waypost.inference.huggingface.weights import Tensors

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # PEFT's own

BERT_TARGETS = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
TARGETS = {
    "bert": BERT_TARGETS,
    "roberta": BERT_TARGETS,
    "xlm-roberta": ["query", "value"],
    "modernbert": ["Wqkv", "Wo", "Wi"],
}
TASKS = {"sequence": "SEQ_CLS", "token": "TOKEN_CLS"}


@pytest.fixture
def make_adapter(tmp_path, torch, transformers, make_model):
    """Save a random adapter on a random base; return its directory and PEFT's own model."""
    peft = pytest.importorskip("peft", reason="needs the extra train")

    def make(architecture="bert", task="sequence", **lora):
        base = make_model(architecture, task, name="base")
        kind = "TokenClassification" if task == "token" else "SequenceClassification"
        model = getattr(transformers, f"AutoModelFor{kind}").from_pretrained(base, attn_implementation="eager")
        lora = {"target_modules": TARGETS[architecture], "r": 4, "lora_alpha": 6} | lora
        model = peft.get_peft_model(model, peft.LoraConfig(task_type=TASKS[task], **lora))
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
        model.save_pretrained(tmp_path / "adapter")
        (tmp_path / "adapter" / "label_mapping.json").write_text(json.dumps(base_labels(base)))
        return tmp_path / "adapter", model

    def base_labels(base):
        return {"id_to_label": json.loads((base / "config.json").read_text())["id2label"]}

    return make


async def logits(directory, texts, limits, exported, **settings):
    reader = Reader.load(exported(directory, precision="fp32", window=300, **settings), limits)
    found = [(await reader.read(text)).logits[0] for text in texts]
    reader.close()
    return found


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("architecture", TARGETS)
async def test_a_merged_adapter_answers_as_peft_does(
    architecture, task, make_adapter, reference, exported, limits, texts
):
    adapter, model = make_adapter(architecture, task)
    base = adapter.with_name("base")
    expected = reference(base, texts, model=model)
    assert np.abs(expected[0] - reference(base, texts, task=task)[0]).max() > 0.1
    for one, other in zip(await logits(adapter, texts, limits, exported), expected, strict=True):
        np.testing.assert_allclose(one, other[None] if task == "sequence" else other[1:-1], atol=1e-3)


@pytest.mark.filterwarnings("ignore:fan_in_fan_out is set to True")
@pytest.mark.parametrize(
    "settings",
    [
        {"use_rslora": True},
        {"rank_pattern": {"layer.1.attention.self.query": 2}, "alpha_pattern": {"value": 32, "0.output.dense": 1}},
        {"bias": "all"},
        {"bias": "lora_only"},
        {"modules_to_save": ["classifier", "bert.pooler"]},
        {"fan_in_fan_out": True, "target_modules": ["query"]},
    ],
    ids=lambda settings: next(iter(settings)),
)
async def test_every_setting_has_peft_s_meaning(settings, make_adapter, reference, exported, limits, texts):
    adapter, model = make_adapter(**settings)
    found = await logits(adapter, texts, limits, exported)
    expected = reference(adapter.with_name("base"), texts, model=model)
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-3)


async def test_the_base_may_lie_anywhere_else(make_adapter, exported, copy):
    adapter, _ = make_adapter()
    elsewhere = copy(adapter.with_name("base"), "elsewhere")
    shutil.rmtree(adapter.with_name("base"))
    with pytest.raises(SetupError, match=r"the base of the adapter .* there is no directory .*the key 'base'"):
        exported(adapter)
    exported(adapter, base=str(elsewhere))


async def test_a_base_named_relative_to_its_adapter(make_adapter, exported):
    adapter, _ = make_adapter()
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": "../base"}))
    exported(adapter)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"peft_type": "PREFIX_TUNING"}, "peft_type 'LORA', not 'PREFIX_TUNING'"),
        ({"use_dora": True}, "does not merge DoRA"),
        ({"task_type": "CAUSAL_LM"}, "the adapter is for CAUSAL_LM, not for SEQ_CLS"),
        ({"base_model_name_or_path": None}, "names no base model"),
    ],
)
def test_what_cannot_be_merged_is_refused(changes, message, make_model, exported):
    make_model("bert", name="base")
    adapter = make_model("bert", name="adapter")
    config = {"peft_type": "LORA", "task_type": "SEQ_CLS", "base_model_name_or_path": "../base"} | changes
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(SetupError, match=message):
        exported(adapter)


def ones(*shape):
    return np.ones(shape, np.float32)


BASE = Tensors({"encoder.layer.0.output.dense.weight": ones(3, 5)})
MODULE = "base_model.model.bert.encoder.layer.0.output.dense"


@pytest.mark.parametrize(
    "tensors, message",
    [
        ({f"{MODULE}.lora_A.weight": ones(2, 9), f"{MODULE}.lora_B.weight": ones(3, 2)}, r"has shape \(3, 5\)"),
        ({f"{MODULE}.lora_A.weight": ones(2, 5), f"{MODULE}.lora_B.weight": ones(3, 1)}, r"has shape \(3, 5\)"),
        ({f"{MODULE}.lora_A.weight": ones(2, 5)}, "no tensor"),
        ({f"{MODULE}.lora_magnitude_vector": ones(3)}, "does not merge .*lora_magnitude_vector"),
        (
            {
                f"{MODULE.replace('0', '7')}.lora_A.weight": ones(2, 5),
                f"{MODULE.replace('0', '7')}.lora_B.weight": ones(3, 2),
            },
            "no tensor 'encoder.layer.7.output.dense.weight'",
        ),
    ],
)
def test_an_adapter_of_another_base_is_refused(tensors, message):
    with pytest.raises(SetupError, match=message):
        merge(BASE, Tensors(tensors), {"lora_alpha": 1}, "bert")


def test_the_base_is_not_changed():
    tensors = {f"{MODULE}.lora_A.weight": ones(2, 5), f"{MODULE}.lora_B.weight": ones(3, 2)}
    merged = merge(BASE, Tensors(tensors), {"lora_alpha": 8}, "bert")
    assert (merged["encoder.layer.0.output.dense.weight"] == 9).all()
    assert (BASE["encoder.layer.0.output.dense.weight"] == 1).all()
