import gzip
import json

import pytest

from waypost.errors import SetupError
from waypost.learn.examples import development_examples, training_examples
from waypost.signals.names import DOMAINS


def write(path, rows):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.fixture
def data(tmp_path):
    exam = {"text": "What is 2 + 2?\u2028", "label": "math", "options": ["3", "4"], "weak": False, "lang": "en"}
    weak = {**exam, "text": "Which of these is true?", "weak": True}
    write(tmp_path / "domain_train.jsonl.gz", [exam, weak])
    write(tmp_path / "domain_dev.jsonl.gz", [exam])
    prompts = [{"text": f"第{index}题", "label": "math", "lang": "zh"} for index in range(200)]
    write(tmp_path / "domain_aux_train.jsonl.gz", prompts)
    return tmp_path


def test_a_question_comes_alone_and_with_its_options(data):
    exams = [row.text for row in training_examples(data) if row.kind.startswith("exam")]
    assert exams == [
        "What is 2 + 2?\u2028",
        "What is 2 + 2?\u2028\nA. 3\nB. 4",
        "Which of these is true?\nA. 3\nB. 4",
    ]


def test_no_prompt_is_both_learnt_and_judged_on(data):
    learnt, judged = (
        {row.text for row in rows if row.kind in ("natural", "everyday")}
        for rows in (training_examples(data), development_examples(data))
    )
    assert not learnt & judged
    assert 0.05 < len(judged) / len(learnt | judged) < 0.2


def test_our_own_prompts_are_clean(data):
    everyday = [row for row in (*training_examples(data), *development_examples(data)) if row.kind == "everyday"]
    assert {row.label for row in everyday} == set(DOMAINS)
    assert {row.language for row in everyday} == {"en", "zh"}
    assert len({row.text for row in everyday}) == len(everyday)


def test_missing_data_is_a_setup_error(tmp_path):
    with pytest.raises(SetupError, match="--data"):
        training_examples(tmp_path)
