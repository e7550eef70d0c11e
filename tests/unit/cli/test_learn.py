"""train → evaluate → calibrate → label, on an encoder that only counts words."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np
import pytest

from waypost.inference.encoder import Encoding
from waypost.inference.manifest import Manifest

TOPICS = {
    "billing": "invoice charged card payment receipt price refunded tax",
    "shipping": "parcel courier tracking delivery warehouse address customs late",
    "technical": "crash screen update firmware error bluetooth login sync",
}
WORDS = " ".join(TOPICS.values()).split()
SIZE = len(WORDS)


class WordCounter:
    """Texts that share words are near each other."""

    manifest = Manifest("words", SIZE, 0, (), "", "mean", "none", (), {})

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        vector = np.full(SIZE, 1e-3, np.float32)
        for word in text.split():
            if word in WORDS:
                vector[WORDS.index(word)] += 1
        vector /= np.linalg.norm(vector)
        return Encoding(vector, vector[:0], len(text.split()), 1, 0, 0.0)

    def close(self) -> None:
        pass


def sentences(label: str, count: int, seed: int) -> list[str]:
    random = Random(f"{label} {seed}")
    return [f"{seed}{n} " + " ".join(random.sample(TOPICS[label].split(), 4)) for n in range(count)]


def write(path: Path, count: int, seed: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows((text, label) for label in TOPICS for text in sentences(label, count, seed))
    return path


@pytest.fixture(autouse=True)
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def opened(_: object) -> Iterator[WordCounter]:
        yield WordCounter()

    monkeypatch.setattr("waypost.learn.served.open_encoder", opened)


@pytest.fixture
def model(waypost: Callable, tmp_path: Path) -> Path:
    pytest.importorskip("sklearn")
    result = waypost("train", "domain", "--data", write(tmp_path / "mine.csv", 20, 1), "--out", tmp_path / "mine")
    assert result.code == 0, result.err
    return tmp_path / "mine"


def test_training_writes_a_model_with_its_card(model: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_bytes())
    assert manifest["labels"] == ["billing", "shipping", "technical"]
    assert manifest["data"]["classes"] == {"billing": 20, "shipping": 20, "technical": 20}
    assert manifest["held_out"]["accuracy"] > 0.9
    assert re.fullmatch("[0-9a-f]{64}", manifest["data"]["sha256"])
    card = (model / "MODEL_CARD.md").read_text("utf-8")
    assert "| shipping | 20 |" in card
    assert "95 % interval" in card


def test_the_same_seed_gives_the_same_model(waypost: Callable, model: Path, tmp_path: Path) -> None:
    assert waypost("train", "domain", "--data", tmp_path / "mine.csv", "--out", tmp_path / "again").code == 0
    assert (tmp_path / "again" / "head.npz").read_bytes() == (model / "head.npz").read_bytes()


def test_evaluation_of_the_model(waypost: Callable, model: Path, tmp_path: Path) -> None:
    result = waypost("evaluate", "domain", "--data", write(tmp_path / "dev.csv", 10, 2), "--model", model, "--json")
    assert (result.code, result.err) == (0, "")
    figures = json.loads(result.out)
    assert figures["n"] == 30
    assert figures["accuracy"] > 0.9
    shown = waypost("evaluate", "domain", "--data", tmp_path / "dev.csv", "--model", model)
    assert "accuracy" in shown.out
    assert "per class" in shown.out


def test_a_dev_file_that_shares_texts_with_training_is_refused(waypost: Callable, tmp_path: Path) -> None:
    data = write(tmp_path / "mine.csv", 20, 1)
    result = waypost("train", "domain", "--data", data, "--dev", data, "--out", tmp_path / "mine")
    assert result.code == 1
    assert "60 texts are also in the training rows" in result.err
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,x\nb,x\n", "needs two classes or more; all rows are 'x'"),
        ("a,x\na,y\n", "'a' has two labels, x and y; keep one"),
        ("a,x\nb,y\n", "too few texts of x (1), y (1)"),
        (" ,x\n", "only white space"),
    ],
)
def test_rows_that_cannot_be_trained_on(waypost: Callable, tmp_path: Path, rows: str, message: str) -> None:
    data = tmp_path / "mine.csv"
    data.write_text(f"text,label\n{rows}", "utf-8")
    result = waypost("train", "domain", "--data", data, "--out", tmp_path / "mine")
    assert result.code == 1
    assert message in result.err


def test_calibration_keeps_its_budget_and_saves_the_temperature(waypost: Callable, model: Path, tmp_path: Path) -> None:
    data = write(tmp_path / "dev.csv", 40, 3)
    before = json.loads((model / "manifest.json").read_bytes())["temperature"]
    options = ("--data", data, "--model", model, "--max-false-positive", "0.05", "--save", "--json")
    result = waypost("calibrate", "domain", *options)
    assert result.code == 0, result.err
    advice = json.loads(result.out)
    assert advice["false_positive_bound"] <= 0.05
    manifest = json.loads((model / "manifest.json").read_bytes())
    assert manifest["temperature"] == pytest.approx(before * advice["calibration"]["temperature"], abs=1e-3)
    assert manifest["threshold"] == advice["threshold"]
    figures = json.loads(waypost("evaluate", "domain", "--data", data, "--model", model, "--json").out)
    assert figures["threshold"] == advice["threshold"]


def test_calibration_refuses_what_the_rows_cannot_prove(waypost: Callable, model: Path, tmp_path: Path) -> None:
    data = write(tmp_path / "dev.csv", 40, 3)
    result = waypost("calibrate", "domain", "--data", data, "--model", model, "--max-false-positive", "0.01")
    assert (result.code, result.out) == (1, "")
    assert "0.01 at 95% needs at least 299 labelled rows without an error; the file has 120" in result.err


def test_a_handful_of_rows_gives_no_temperature(waypost: Callable, model: Path, tmp_path: Path) -> None:
    data = write(tmp_path / "dev.csv", 20, 3)
    options = ("--data", data, "--model", model, "--max-false-positive", "0.1", "--json")
    assert json.loads(waypost("calibrate", "domain", *options).out)["calibration"] is None
    result = waypost("calibrate", "domain", *options, "--save")
    assert result.code == 1
    assert "a temperature needs at least 100 rows; the file has 60" in result.err


@pytest.mark.parametrize(
    "options", [(), ("--max-false-positive", "1.5"), ("--min-recall", "0.9", "--save"), ("--min-recall", "0")]
)
def test_calibration_needs_a_budget(waypost: Callable, tmp_path: Path, options: tuple[str, ...]) -> None:
    data = write(tmp_path / "dev.csv", 5, 3)
    assert waypost("calibrate", "domain", "--data", data, *options).code == 2


def test_the_report_needs_no_other_file(waypost: Callable, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    data = write(tmp_path / "dev.csv", 40, 3)
    options = ("--data", data, "--model", model, "--max-false-positive", "0.05", "--report", tmp_path / "report")
    assert waypost("calibrate", "domain", *options).code == 0
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    charts = {path.stem for path in (tmp_path / "report").glob("*.png")}
    assert charts == {"confusion", "per-class", "reliability", "threshold", "latency"}
    assert page.count("data:image/png;base64,") == len(charts)
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert all((tmp_path / "report" / f"{name}.png").read_bytes().startswith(b"\x89PNG") for name in charts)


@pytest.fixture
def requests(tmp_path: Path) -> Path:
    texts = ["invoice charged card payment", "parcel invoice", "crash \x1b[2Jscreen update error"]
    path = tmp_path / "requests.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    return path


@pytest.fixture
def label(
    waypost: Callable, model: Path, requests: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[str, list[list[str]]]]:
    """Label with these keys; gives what was shown and what the file holds."""

    def run(keys: str) -> tuple[str, list[list[str]]]:
        monkeypatch.setattr("sys.stdin", io.StringIO(keys))
        result = waypost("label", "--data", requests, "--out", tmp_path / "labels.csv", "--model", model)
        assert result.code == 0, result.err
        with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
            return result.out, list(csv.reader(file))

    return run


def test_labelling_starts_with_the_doubtful_and_goes_on_later(label: Callable) -> None:
    shown, rows = label("2\n\nq\n")
    assert rows[0] == ["text", "label"]
    assert rows[1][0] == "parcel invoice"
    assert rows[1][1] in ("billing", "shipping")
    assert len(rows) == 3
    assert "\x1b" not in shown
    shown, rows = label("\n")
    assert "1 of 1" in shown
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("keys", "given"),
    [
        ("tech\n", ["technical"]),
        ("+legal\nlegal\nleg\n", ["legal", "legal", "legal"]),
        ("s\ns\ntech\n", ["technical"]),
        ("99\nnonsense\nbilling\nq\n", ["billing"]),
        ("", []),
    ],
)
def test_keys(label: Callable, keys: str, given: list[str]) -> None:
    labels = [row[1] for row in label(keys)[1][1:]]
    assert labels == given


def test_own_classes_are_never_accepted_by_enter(
    waypost: Callable, model: Path, requests: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n2\nq\n"))
    options = ("--data", requests, "--out", tmp_path / "own.csv", "--model", model, "--class", "red", "--class", "blue")
    result = waypost("label", *options)
    assert result.code == 0
    assert "billing" not in result.out
    assert (tmp_path / "own.csv").read_text("utf-8") == '"text","label"\n"parcel invoice","blue"\n'


def test_every_label_is_on_the_disk_before_the_next_question(
    label: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr("os.fsync", lambda descriptor: (synced.append(descriptor), real(descriptor))[1])
    label("1\n1\nq\n")
    assert len(synced) == 3  # the column names, and two labels


def test_labelling_in_a_terminal(waypost: Callable, model: Path, requests: Path, tmp_path: Path, monkeypatch) -> None:
    """Through a pseudo-terminal, where Ctrl-D ends the queue."""
    keyboard, terminal = os.openpty()
    try:
        os.write(keyboard, b"1\n\x04")
        with os.fdopen(terminal, "r", encoding="utf-8", closefd=False) as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            result = waypost("label", "--data", requests, "--out", tmp_path / "labels.csv", "--model", model)
        assert result.code == 0
        assert "1 labels more" in result.err
    finally:
        os.close(keyboard)
        os.close(terminal)


@pytest.mark.parametrize("task", ["jailbreak", "pii"])
def test_an_encoder_without_the_classifier_says_so(waypost: Callable, tmp_path: Path, task: str) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text('{"text": "x", "label": "benign", "spans": []}\n', "utf-8")
    result = waypost("evaluate", task, "--data", data)
    assert result.code == 3
    assert f"no classifier for {task}" in result.err
