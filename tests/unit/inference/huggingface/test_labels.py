import json

import pytest

from waypost.errors import SetupError
from waypost.inference.huggingface.folder import Folder
from waypost.inference.huggingface.labels import find_mapping, read_labels

NUMBERS = {"math": 1, "computer science": 0, "法律": 2}
NAMES = {"1": "math", "0": "computer science", "2": "法律"}
LABELS = ("computer science", "math", "法律")


@pytest.mark.parametrize(
    "content",
    [
        {"category_to_idx": NUMBERS, "idx_to_category": NAMES, "category_system_prompts": {"math": "…"}},
        {"label_to_idx": NUMBERS, "idx_to_label": NAMES},
        {"label_to_id": NUMBERS, "id_to_label": NAMES},
        {"label_to_idx": NUMBERS},
        {"idx_to_label": NAMES},
        {"id2label": NAMES, "label2id": NUMBERS, "hidden_size": 7},
        NUMBERS,
        NAMES,
    ],
)
def test_every_style_is_read(content, tmp_path):
    path = tmp_path / "mapping.json"
    path.write_text(json.dumps(content))
    assert read_labels(path) == LABELS


@pytest.mark.parametrize(
    "content, message",
    [
        ({"idx_to_label": {"0": "a", "2": "b"}}, "the numbers 0, 1, 2, …: found 0, 2"),
        ({"label_to_id": {"a": 0, "b": 0}}, "found 0, 0"),
        ({"id2label": {"0": "a"}}, "at least two labels"),
        ({"id2label": {"0": "a", "1": "a"}}, "each only once"),
        ({"id2label": {"0": "a", "1": "b\r\nx-evil: 1"}}, "is no label"),
        ({"id2label": {"0": "a", "1": " "}}, "is no label"),
        ({"id2label": {"0": "a", "1": "b" * 129}}, "is no label"),
        ({"id2label": {"0": "a", "1": "b"}, "label2id": {"b": 0, "a": 1}}, "contradicts itself"),
        ({"id2label": {"0": "a", "one": "b"}}, "does not map labels"),
        ({"threshold": {}}, "does not map labels"),
        ({}, "at least two labels"),
    ],
)
def test_what_is_no_mapping_is_refused(content, message, tmp_path):
    (tmp_path / "m.json").write_text(json.dumps(content))
    with pytest.raises(SetupError, match=message):
        read_labels(tmp_path / "m.json")


@pytest.mark.parametrize(
    "files, chosen",
    [
        (["label_mapping.json", "category_mapping.json"], "category_mapping.json"),
        (["label_mapping.json", "pii_type_mapping.json"], "pii_type_mapping.json"),
        (["jailbreak_type_mapping.json"], "jailbreak_type_mapping.json"),
        (["label_mapping.json"], "label_mapping.json"),
        ([], "config.json"),
    ],
)
def test_the_most_special_file_is_chosen(files, chosen, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {}}))
    for name in files:
        (tmp_path / name).write_text("{}")
    assert find_mapping([Folder(tmp_path)]) == tmp_path / chosen


def test_an_adapter_s_own_labels_come_before_its_base_s(tmp_path):
    for name in ("adapter", "base"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "label_mapping.json").write_text("{}")
    folders = [Folder(tmp_path / "adapter"), Folder(tmp_path / "base")]
    assert find_mapping(folders).parent.name == "adapter"


def test_no_labels_at_all(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(SetupError, match=r"names no labels: it has none of category_mapping\.json"):
        find_mapping([Folder(tmp_path)])
