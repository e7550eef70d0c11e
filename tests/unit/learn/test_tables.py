import gzip
from pathlib import Path

import pytest

from waypost.errors import DataError
from waypost.learn.tables import read_table

ROW = '{"text": "a\u2028b", "label": "x"}\n'


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_lines_end_with_a_newline_only(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    data = (ROW + "\n" + ROW).encode()
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert read_table(path, {"text": str, "label": str}) == [{"text": "a\u2028b", "label": "x"}] * 2


def test_csv_with_a_byte_order_mark_and_quoted_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes('\ufefftext,label\n"two\nlines, one comma",x\n'.encode())
    assert read_table(path, {"text": str, "label": str}) == [{"text": "two\nlines, one comma", "label": "x"}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"text": "x"}\n', "a.jsonl:1: needs 'label', text"),
        ("a.jsonl", ROW + '{"text": "", "label": "x"}\n', "a.jsonl:2: needs 'text', text"),
        ("a.jsonl", ROW + "{\n", "a.jsonl:2: not JSON"),
        ("a.jsonl", "[1]\n", "a.jsonl:1: not a JSON object"),
        ("a.jsonl", "\n", "a.jsonl has no rows"),
        ("a.csv", "text\nhello\n", "a.csv:2: needs 'label', text"),
        ("a.csv", 'text,label\n"open,x\n', "cannot read"),
        ("a.jsonl.gz", "plain", "cannot read"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / name, {"text": str, "label": str})


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_table(tmp_path / "none.jsonl", {})


def test_a_file_that_breaks_off_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(ROW.encode() * 1000)[:-20])
    with pytest.raises(DataError, match="cannot read"):
        read_table(path, {"text": str})
