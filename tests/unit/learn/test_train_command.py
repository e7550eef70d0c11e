"""``waypost train`` on a tiny encoder and a dozen rows, from the command to the artefact."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="training needs the extra 'train'")
pytest.importorskip("peft", reason="training needs the extra 'train'")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")

from waypost.cli import app  # noqa: E402
from waypost.errors import DataError, SetupError, WaypostError  # noqa: E402
from waypost.learn import artefact  # noqa: E402

QUICK = ("--epochs", 2, "--rank", 4, "--batch-tokens", 400, "--rate", 0.01, "--threads", 1, "--device", "cpu")


@pytest.fixture(autouse=True)
def tiny(monkeypatch, deep_base):
    """The tiny encoder, and none of the package's thousands of sentences."""

    def base_of(work: Path):
        work.mkdir(parents=True, exist_ok=True)
        return deep_base

    for module in ("bundled", "embedding"):
        monkeypatch.setattr(f"waypost.learn.{module}.base_of", base_of)
    for name in ("topic_rows", "attack_rows", "plain_rows", "everyday_rows", "quoting_rows", "instruction_rows"):
        monkeypatch.setattr(f"waypost.learn.sources.{name}", lambda *_: iter(()))


@pytest.fixture
def train(tiny_data, tmp_path):
    """Train with these arguments into ``out``; gives what was said."""

    def run(task, *options, data=tiny_data):
        arguments = ["train", task, "--data", data, "--out", tmp_path / "out", *options]
        result = CliRunner().invoke(app, list(map(str, arguments)))
        if isinstance(result.exception, WaypostError):
            raise result.exception
        return result

    return run


def training(tmp_path):
    return json.loads((tmp_path / "out" / "training.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("task", "heads", "mapping"),
    [
        ("domain", {"domain"}, "category_to_idx"),
        ("jailbreak", {"jailbreak", "indirect"}, "label_to_id"),
        ("pii", {"pii"}, "label_to_id"),
        ("all", {"domain", "jailbreak", "indirect", "pii"}, "category_to_idx"),
    ],
)
def test_every_task_gives_an_artefact(train, tmp_path, task, heads, mapping):
    result = train(task, *QUICK)
    assert result.exit_code == 0, result.output
    found = artefact.read(tmp_path / "out")
    assert {head.name for head in found.heads} == heads
    facts = training(tmp_path)
    assert (facts["task"], len(facts["scores"])) == (task, 2)
    assert task == "all" or facts["losses"][-1][task] > 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names >= {"model.safetensors", "adapter", "tokenizer.json", "label_mapping.json", "MODEL_CARD.md"}
    assert mapping in json.loads((tmp_path / "out" / "label_mapping.json").read_text("utf-8"))
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text("utf-8")
    assert all(f"**{head}**" in card for head in heads)
    assert "(kept)" in card


def test_the_embedding_gives_an_artefact(train, tmp_path):
    result = train("embedding", *QUICK)
    assert result.exit_code == 0, result.output
    assert artefact.read(tmp_path / "out").heads == ()
    facts = training(tmp_path)
    assert {"cache_auc", "tools_recall_at_5"} <= set(facts["scores"][0]) & set(facts["before"])
    assert "| before |" in (tmp_path / "out" / "MODEL_CARD.md").read_text("utf-8")


def test_the_report_has_the_learning_curve(train, tmp_path):
    pytest.importorskip("matplotlib")
    train("pii", *QUICK)
    assert (tmp_path / "out" / "report" / "learning.png").exists()
    assert "Dev by epoch" in (tmp_path / "out" / "report" / "report.html").read_text("utf-8")


def test_without_matplotlib_the_model_is_still_written(train, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise SetupError("reports need matplotlib")

    monkeypatch.setattr("waypost.learn.runs.write_report", refuse)
    assert "no report: reports need matplotlib" in train("pii", *QUICK).output
    assert (tmp_path / "out" / "MODEL_CARD.md").exists()


def test_options_reach_the_adapters(train, tmp_path):
    train("pii", *QUICK, "--target", "query", "--target", "value", "--from-layer", 7, "--alpha", 2, "--dropout", 0.1)
    lora = json.loads((tmp_path / "out" / "lora_config.json").read_text("utf-8"))
    expected = {"rank": 4, "alpha": 2, "dropout": 0.1, "target_modules": ["query", "value"], "from_layer": 7}
    assert lora == expected


def test_a_stopped_run_goes_on_and_other_settings_begin_anew(train, tmp_path, monkeypatch):
    from waypost.learn.loop import Loop

    learn = Loop._learn

    def stop(self, batch):
        if self.history.scores:
            raise KeyboardInterrupt
        return learn(self, batch)

    monkeypatch.setattr(Loop, "_learn", stop)
    train("pii", *QUICK, "--epochs", 3)
    assert not (tmp_path / "out" / "training.json").exists()
    monkeypatch.setattr(Loop, "_learn", learn)
    assert "going on at epoch 2, step 0" in train("pii", *QUICK, "--epochs", 3).output
    assert len(training(tmp_path)["scores"]) == 3
    assert "going on" not in train("pii", *QUICK, "--epochs", 1).output


def test_training_stops_early(train, tmp_path, monkeypatch):
    from waypost.learn.judge import Judge

    totals = iter((0.5, 0.4, 0.3, 0.2))
    monkeypatch.setattr(Judge, "score", lambda *_: {"total": next(totals)})
    train("pii", *QUICK, "--epochs", 4, "--patience", 2)
    facts = training(tmp_path)
    assert (len(facts["scores"]), facts["best_epoch"]) == (3, 0)


def test_extra_rows_are_learnt_unless_they_give_away_dev(train, tmp_path, tiny_data):
    leaked = json.loads((tiny_data / "pii_dev.jsonl").read_text("utf-8").splitlines()[0])
    extra = tmp_path / "mine.jsonl"
    own = {"text": "Call Anna", "spans": [[5, 9, "PERSON"]]}
    extra.write_text("".join(json.dumps(row) + "\n" for row in (own, leaked)), "utf-8")
    train("pii", *QUICK, "--extra", extra)
    assert training(tmp_path)["data"]["rows"]["mine.jsonl"] == 1


def test_other_tasks_need_no_files(train, tmp_path, tiny_data):
    for name in ("domain_train", "domain_dev", "jailbreak_train", "jailbreak_dev", "cache_pairs_train", "tools_train"):
        (tiny_data / f"{name}.jsonl").unlink()
    assert train("pii", *QUICK).exit_code == 0


def test_rows_of_text_may_be_csv(train, tiny_data):
    for part in ("train", "dev"):
        rows = map(json.loads, (tiny_data / f"jailbreak_{part}.jsonl").read_text("utf-8").splitlines())
        lines = ["text,label", *(f"{row['text']},{row['label']}" for row in rows)]
        (tiny_data / f"jailbreak_{part}.csv").write_text("\n".join(lines) + "\n", "utf-8")
        (tiny_data / f"jailbreak_{part}.jsonl").unlink()
    assert train("jailbreak", *QUICK).exit_code == 0


def test_a_missing_file_is_named(train, tiny_data):
    (tiny_data / "pii_train.jsonl").unlink()
    with pytest.raises(SetupError, match=r"none of pii_train\.jsonl\.gz, pii_train\.jsonl"):
        train("all", *QUICK)


def test_an_unknown_label_is_named(train, tiny_data):
    with (tiny_data / "domain_train.jsonl").open("a") as file:
        file.write('{"text": "x", "label": "astrology"}\n')
    with pytest.raises(DataError, match="'astrology' is none of biology"):
        train("domain", *QUICK)


def test_heads_read_no_frozen_layer(train):
    with pytest.raises(SetupError, match="--from-layer 9 is too high: 6 at most"):
        train("domain", *QUICK, "--from-layer", 9)


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("jailbreak", ("--dev", "x.csv"), "--dev is for one file"),
        ("embedding", ("--extra", "{file}"), "--extra is for the classifiers"),
        ("domain", ("--data", "{file}", "--rank", "4"), "--data must be a directory"),
        ("pii", ("--data", "{file}"), "pii learns from a directory"),
        ("pii", ("--device", "tpu"), "tpu"),
    ],
)
def test_options_that_would_change_nothing_are_refused(train, tiny_data, task, options, message):
    file = str(tiny_data / "domain_train.jsonl")
    result = train(task, *(option.format(file=file) for option in options))
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
