import gzip
import json

import pytest

from waypost.inference.head import Head
from waypost.learn.domain import main

TOPICS = {
    "math": ("Solve {} x + 3 = 9 for x.", "计算 {} 的平方根。"),
    "law": ("Can my landlord evict me after {} months?", "合同第{}条无效怎么办?"),
    "other": ("Tell me {} funny stories about dogs.", "给我推荐{}部电影。"),
}


@pytest.fixture
def data(tmp_path):
    """A miniature of the real data: three topics, two languages."""

    def write(name, rows):
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)

    def row(label, language, number):
        text = TOPICS[label][language].format(number)
        return {"text": text, "label": label, "lang": ("en", "zh")[language], "options": ["1"], "weak": False}

    write("domain_train", [row(label, 0, number) for label in TOPICS for number in range(4)])
    write("domain_dev", [row(label, 0, number) for label in TOPICS for number in range(20, 22)])
    write("domain_aux_train", [row(label, 1, number) for label in TOPICS for number in range(20)])
    return tmp_path


def test_training_writes_a_head_that_belongs_to_the_encoder(data, tmp_path, encoder, capsys):
    assert main(["--data", str(data), "--out", str(tmp_path / "head")]) == 0
    head = Head.load(tmp_path / "head", encoder.manifest.recipe)
    facts = json.loads((tmp_path / "head" / "manifest.json").read_text())
    assert facts["dev"]["exam, en"] == {"accuracy": 1.0, "rows": 6}
    assert facts["temperature"] == head.temperature
    assert facts["data"]["rows"]["exam"] == 12
    assert "log loss" in capsys.readouterr().err


def test_without_data_it_ends_with_the_code_of_a_setup_error(tmp_path, encoder, capsys):
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "head")]) == 3
    assert "error:" in capsys.readouterr().err
