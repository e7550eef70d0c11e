from pathlib import Path

import pytest

from waypost.errors import DataError
from waypost.learn.evaluate.answers import Answer
from waypost.learn.queue import LabelFile, order


def _answer(**scores: float) -> Answer:
    return Answer(scores, frozenset(), 0.5, "", 0.0)


def test_the_least_certain_come_first() -> None:
    answers = [_answer(a=0.9, b=0.1), _answer(a=0.5, b=0.5), _answer(a=0.3, b=0.7)]
    items = order(["sure", "torn", "leaning"], answers)
    assert [item.text for item in items] == ["torn", "leaning", "sure"]
    assert items[1].guesses[0] == ("b", 0.7)


def test_labels_come_back(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    with LabelFile(path) as file:
        file.append('He said "hi",\nthen left', "chat")
        file.append("发票", "billing")
    with LabelFile(path) as file:
        assert file.rows == [('He said "hi",\nthen left', "chat"), ("发票", "billing")]
        file.append("invoice", "billing")
        assert file.labels == ["billing", "chat"]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ('"text","label"\n"a","x"\n"b","y', [("a", "x")]),
        ('"text","label"\n"a","x"\n"two\nlines', [("a", "x")]),
        ('"text","label"\n"a","x"\n"b",', [("a", "x")]),
        ('"text","label"\n"a","x"\n"b"', [("a", "x")]),
        ("text,label\na,x\nb,y", [("a", "x"), ("b", "y")]),
        ("", []),
    ],
)
def test_a_row_cut_off_by_a_crash_spoils_nothing(tmp_path: Path, content: str, rows: list[tuple[str, str]]) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(content, encoding="utf-8")
    with LabelFile(path) as file:
        assert file.rows == rows
        file.append("new", "z")
    with LabelFile(path) as file:
        assert file.rows == [*rows, ("new", "z")]


def test_another_kind_of_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("name,age\nx,3\n", encoding="utf-8")
    with pytest.raises(DataError, match="other columns than text,label"), LabelFile(path):
        pass
    assert path.read_text(encoding="utf-8") == "name,age\nx,3\n"


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot keep labels"), LabelFile(tmp_path):
        pass
