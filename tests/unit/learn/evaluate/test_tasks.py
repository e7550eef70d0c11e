"""Every evaluator on a few rows with stubs for what serves: the figures are counted by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from waypost.errors import DataError
from waypost.learn.evaluate import TASKS, Evaluation
from waypost.learn.evaluate.similar import read_pairs
from waypost.tools.lexical import Background
from waypost.tools.relevance import Relevance
from waypost.types import Request, SignalResult


class Stub:
    """Serves answers by text."""

    def __init__(self, answers: Mapping[str, Any], threshold: float = 0.5) -> None:
        self.answers, self.threshold = answers, threshold
        self.seen: list[Request] = []
        self.encoder = self

    kind, cost = "stub", 0.0
    manifest = SimpleNamespace(recipe="stub")

    def signal(self, task: str) -> Stub:
        return self

    def finder(self) -> Stub:
        return self

    async def measure(self, request: Request) -> SignalResult:
        self.seen.append(request)
        scores = self.answers.get(request.user_text, self.answers.get("*"))
        if scores is None:
            return SignalResult("stub", threshold=self.threshold, unknown="too late")
        matched = frozenset(name for name, score in scores.items() if score >= self.threshold)
        return SignalResult("stub", matched, scores, self.threshold)

    async def find(self, text: str) -> Sequence[tuple[int, int, str]]:
        return self.answers.get(text, ())

    async def encode(self, text: str) -> Any:
        vector = np.array(self.answers[text], np.float32)
        return SimpleNamespace(embedding=vector / np.linalg.norm(vector))


async def evaluate(task: str, served: Stub, path: Path, rows: Sequence[Mapping[str, Any]]) -> Evaluation:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    evaluation = await TASKS[task](served, path, lambda line: None)  # type: ignore[arg-type]
    json.dumps(evaluation.figures, allow_nan=False)
    return evaluation


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


async def test_domain(path: Path) -> None:
    served = Stub({"*": {"law": 0.5, "math": 0.5}, "1": {"law": 0.1, "math": 0.9}, "2": {"law": 0.6, "math": 0.4}})
    rows = [
        {"text": "1", "label": "math", "lang": "en"},
        {"text": "2", "label": "math", "lang": "zh", "weak": True},
        {"text": "2", "label": "law", "lang": "zh"},
    ]
    evaluation = await evaluate("domain", served, path, rows)
    figures = evaluation.figures
    assert (figures["n"], figures["accuracy"], figures["macro_f1"]) == (3, 0.6667, 0.6667)
    assert figures["per_class"]["math"] == {"precision": 1.0, "recall": 0.5, "f1": 0.6667, "n": 2}
    assert figures["per_language"] == {"en": {"n": 1, "accuracy": 1.0}, "zh": {"n": 2, "accuracy": 0.5}}
    assert figures["without_topic"] == {"n": 1, "accuracy": 0.0}
    assert (figures["threshold"], figures["matched"], figures["accuracy_of_matched"]) == (0.5, 1.0, 0.6667)
    assert figures["unknown"] == 0
    trials = evaluation.evidence.trials
    assert trials is not None
    assert trials.negatives.tolist() == [-np.inf, 0.6, -np.inf]
    assert trials.positives.tolist() == [0.9, -np.inf, 0.6]


async def test_an_unknown_answer_is_a_wrong_one(path: Path) -> None:
    served = Stub({"hello": {"law": 1.0}})
    figures = (await evaluate("domain", served, path, [{"text": "late", "label": "law"}])).figures
    assert (figures["accuracy"], figures["unknown"], figures["accuracy_of_matched"]) == (0.0, 1, None)
    assert figures["per_language"] is None


async def test_a_label_that_the_classifier_does_not_know_is_refused(path: Path) -> None:
    with pytest.raises(DataError, match="row 1: 'billing' is not one of law, math"):
        await evaluate("domain", Stub({"*": {"law": 1, "math": 0}}), path, [{"text": "x", "label": "billing"}])


async def test_jailbreak(path: Path) -> None:
    served = Stub({name: {"jailbreak": score} for name, score in {"a": 0.9, "b": 0.2, "c": 0.7, "d": 0.1}.items()})
    rows = [
        {"text": "a", "label": "jailbreak", "kind": "template", "system": "Be kind."},
        {"text": "b", "label": "jailbreak", "kind": "indirect-mail"},
        {"text": "c", "label": "benign", "kind": "benign-roleplay"},
        {"text": "d", "label": "benign", "kind": "benign-roleplay"},
        {"text": "a", "label": "harmful", "kind": "plain"},
    ]
    evaluation = await evaluate("jailbreak", served, path, rows)
    figures = evaluation.figures
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.5, 0.5, 0.5)
    assert (figures["false_positive_rate"], figures["auc"], figures["threshold"]) == (0.5, 0.75, 0.5)
    assert (figures["harmful_flagged"], figures["n"], figures["n_harmful"]) == (1.0, 5, 1)
    assert figures["recall_per_kind"]["indirect-mail"] == {"n": 1, "recall": 0.0}
    assert figures["false_positives_per_kind"] == {"benign-roleplay": {"n": 2, "false_positive_rate": 0.5}}
    assert figures["recall_per_language"] is None
    assert [message.role for message in served.seen[0].messages] == ["system", "user"]
    assert evaluation.evidence.trials is not None
    assert evaluation.evidence.trials.negatives.tolist() == [0.7, 0.1]


async def test_jailbreak_without_positives_has_no_recall(path: Path) -> None:
    figures = (
        await evaluate("jailbreak", Stub({"*": {"jailbreak": 0}}), path, [{"text": "x", "label": "benign"}])
    ).figures
    assert (figures["recall"], figures["auc"], figures["harmful_flagged"]) == (None, None, None)
    assert figures["false_positive_rate"] == 0.0


async def test_pii(path: Path) -> None:
    served = Stub({"I am Ann.": [(5, 8, "PERSON")], "x = 1": [(0, 1, "AGE")]})
    rows = [{"text": "I am Ann.", "spans": [[5, 8, "PERSON"]]}, {"text": "x = 1", "spans": []}]
    figures = (await evaluate("pii", served, path, rows)).figures
    assert (figures["n"], figures["f1"], figures["false_span_rate"]) == (2, 0.6667, 0.5)
    assert figures["per_type"]["PERSON"]["f1"] == 1.0


@pytest.mark.parametrize("spans", [[[0, 9, "AGE"]], [[1, 1, "AGE"]], [[0, 1]], ["x"]])
async def test_impossible_spans_are_refused(path: Path, spans: list[Any]) -> None:
    with pytest.raises(DataError, match="row 1: a span"):
        await evaluate("pii", Stub({}), path, [{"text": "abc", "spans": spans}])


async def test_cache(path: Path) -> None:
    question = "How do I replace the pump of my washing machine?"
    others = ("How do I replace my washing machine's pump?", "Is it going to rain in Oslo?", question + " 2")
    served = Stub({question: (1, 0), others[0]: (1, 0.1), others[1]: (0, 1), others[2]: (1, 0.02)})
    rows = [
        {"a": question, "b": others[0], "label": 1, "kind": "paraphrase"},
        {"a": question, "b": others[1], "label": 0, "kind": "other-intent"},
        {"a": question, "b": others[2], "label": 0, "kind": "number-changed"},
    ]
    figures = (await evaluate("cache", served, path, rows)).figures
    assert (figures["n"], figures["auc"], figures["hit_rate"], figures["wrong_hit_rate"]) == (3, 1.0, 1.0, 0.0)
    assert figures["wrong_hits_per_kind"]["number-changed"] == {"n": 1, "wrong_hit_rate": 0.0}
    assert figures["curve"][-1] == {"threshold": 1.0, "hit_rate": 0.0, "wrong_hit_rate": 0.0}


def test_pairs_come_as_csv_too(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("a,b,label\nHow?,How so?,1\nHow?,Why?,0\n", "utf-8")
    assert [row["label"] for row in read_pairs(path)] == [1, 0]


@pytest.mark.parametrize("label", [None, "", "yes", 2, [1]])
def test_a_pair_without_a_usable_label_is_refused(path: Path, label: object) -> None:
    rows = [{"a": "How?", "b": "How so?", "label": 1}, {"a": "How?", "b": "Why?", "label": label}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with pytest.raises(DataError, match=r"rows\.jsonl: row 2 needs 'label': 1 when"):
        read_pairs(path)


async def test_tools(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waypost.learn.evaluate.tools.Relevance.load", lambda recipe: _cosine(6))
    tools = [{"tool_id": str(n), "name": f"tool{n}", "description": "d"} for n in range(6)]
    (path.parent / "tools_corpus.jsonl").write_text("".join(json.dumps(tool) + "\n" for tool in tools), "utf-8")
    vectors: dict[str, Any] = {f"tool{n}: d": np.eye(6)[n] for n in range(6)}
    served = Stub(vectors | {"first": (9, 5, 4, 3, 2, 1), "last": (5, 4, 3, 2, 1, 0)})
    rows = [{"text": "first", "gold": ["0"]}, {"text": "last", "gold": ["5"], "unseen_tool": True}]
    figures = (await evaluate("tools", served, path, rows)).figures
    assert (figures["n"], figures["tools"], figures["unseen"]["n"]) == (2, 6, 1)
    for found, expected in ((figures, [0.5, 0.5, 1.0]), (figures["unseen"], [0.0, 0.0, 1.0])):
        assert [found[f"recall_at_{depth}"] for depth in (1, 5, 10)] == expected
        assert [found["cosine"][f"recall_at_{depth}"] for depth in (1, 5, 10)] == expected
    with pytest.raises(DataError, match="not in the corpus"):
        await evaluate("tools", served, path, [{"text": "first", "gold": ["nine"]}])


def _cosine(dimensions: int) -> Relevance:
    """Scores that are the cosine, squeezed."""
    nothing = np.zeros(dimensions, np.float32)
    nobody = Background(np.zeros(2**14, np.uint16), 1, 1.0)
    return Relevance("stub", nothing, nothing, np.eye(dimensions, dtype=np.float32), 1.0, 0.0, 0.0, nobody)


async def test_tools_need_their_corpus(path: Path) -> None:
    with pytest.raises(DataError, match="needs tools_corpus"):
        await evaluate("tools", Stub({}), path, [{"text": "x", "gold": ["0"]}])


async def test_language(path: Path) -> None:
    served = Stub({"hello": {"en": 0.9, "de": 0.1}, "ok": {}})
    rows = [{"text": "hello", "lang": "en"}, {"text": "ok", "lang": "en"}]
    figures = (await evaluate("language", served, path, rows)).figures
    assert (figures["n"], figures["accuracy"]) == (2, 0.5)
