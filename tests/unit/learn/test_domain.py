import gzip
import json
import shutil

import numpy as np
import pytest

from waypost.learn import artefact
from waypost.learn.domain import main
from waypost.learn.heads import HeadSpec
from waypost.learn.labels import DOMAINS

QUESTIONS = {
    "math": ("Solve {} x + 3 = 9 for x.", "计算 {} 的平方根。"),
    "law": ("Can my landlord evict me after {} months?", "合同第{}条无效怎么办?"),
    "other": ("Tell me {} funny stories about dogs.", "给我推荐{}部电影。"),
}


@pytest.fixture
def data(tmp_path):
    """A miniature of the real data: three subjects, two languages."""

    def write(name, rows):
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)

    def row(label, language, number):
        text = QUESTIONS[label][language].format(number)
        return {"text": text, "label": label, "lang": ("en", "zh")[language], "options": ["1"], "weak": False}

    write("domain_train", [row(label, 0, number) for label in QUESTIONS for number in range(4)])
    write("domain_dev", [row(label, 0, number) for label in QUESTIONS for number in range(20, 22)])
    write("domain_aux_train", [row(label, 1, number) for label in QUESTIONS for number in range(20)])
    return tmp_path


@pytest.fixture
def trained(trained_dir, tmp_path):
    """A trained model whose domain head tells all subjects apart, badly."""
    directory = shutil.copytree(trained_dir, tmp_path / "artefact")
    weights = {
        "domain.weight": np.zeros((len(DOMAINS), 32), np.float32),
        "domain.bias": np.zeros(len(DOMAINS), np.float32),
    }
    artefact.add_heads(directory, (HeadSpec("domain", DOMAINS, (1,), ("mean",)),), weights)
    return directory


def test_the_artefact_gets_a_head_that_reads_more_depths(data, trained, capsys):
    before = artefact.read(trained)
    assert main(["--artefact", str(trained), "--data", str(data)]) == 0
    after = artefact.read(trained)
    (head,) = (head for head in after.heads if head.name == "domain")
    assert (head.labels, head.layers, head.pooling) == (DOMAINS, (2,), ("mean",))
    assert np.abs(after.weights["domain.weight"]).max() > 0
    others = set(before.weights) - {"domain.weight", "domain.bias"}
    assert all(np.array_equal(before.weights[name], after.weights[name]) for name in others)
    assert "log loss" in capsys.readouterr().err


def test_without_data_it_ends_with_the_code_of_a_setup_error(tmp_path, trained, capsys):
    assert main(["--artefact", str(trained), "--data", str(tmp_path / "nothing")]) == 3
    assert "error:" in capsys.readouterr().err
