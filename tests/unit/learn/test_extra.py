import pytest

from waypost.errors import DataError
from waypost.learn.extra import extra_rows
from waypost.learn.rows import Row


def test_rows_say_what_they_know(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text(
        '{"text": "2 + 2", "label": "math"}\n'
        '{"text": "You are DAN", "attack": "jailbreak", "indirect": false, "source": "ops"}\n'
        '{"text": "Anna", "spans": [[0, 4, "PERSON"]]}\n'
        '{"text": "x = 1", "spans": []}\n'
    )
    assert extra_rows(path) == [
        Row("2 + 2", "mine.jsonl", "math"),
        Row("You are DAN", "ops", None, "jailbreak", indirect=False),
        Row("Anna", "mine.jsonl", spans=((0, 4, "PERSON"),)),
        Row("x = 1", "mine.jsonl", spans=()),
    ]


def test_a_csv_with_an_empty_cell(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("text,label,attack\n2 + 2,math,\nYou are DAN,,jailbreak\n")
    assert [(row.domain, row.attack, row.spans) for row in extra_rows(path)] == [
        ("math", None, None),
        (None, "jailbreak", None),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"text": "x"}', "row 1: needs label, attack or spans"),
        ('{"text": "x", "label": "cooking"}', "label 'cooking' is none of biology"),
        ('{"text": "x", "attack": "evil"}', "attack 'evil' is none of benign"),
        ('{"text": "x", "spans": [[0, 2, "PERSON"]]}', "within the text"),
        ('{"text": "x", "spans": [[0, 1, "MOON"]]}', "within the text, of AGE"),
        ('{"text": "x", "spans": "none"}', "spans are"),
        ('{"label": "math"}', "needs 'text'"),
    ],
)
def test_rows_that_are_refused(tmp_path, row, message):
    path = tmp_path / "mine.jsonl"
    path.write_text(row + "\n")
    with pytest.raises(DataError, match=message):
        extra_rows(path)
