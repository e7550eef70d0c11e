from pathlib import Path

import pytest

from waypost.learn.plain import PIECE, pieces, plain_texts, source_pieces, without_tells

DATA = Path(__file__).parents[4] / "shared/data"


@pytest.mark.parametrize(
    "text",
    [
        "Write to a@b.org.",
        "See https://python.org.",
        "Copyright the authors",
        "He sold 12 apples.",
        "It opened on a Monday in May.",
        "Founded in 1999.",
        "A boy, 12 years old, runs.",
    ],
)
def test_what_may_be_personal_is_left_out(text: str) -> None:
    assert without_tells([text]) == []


@pytest.mark.parametrize(
    "text",
    ["Find the Laplace transform of t^2.", "def march(self): return self.sun[1066]", "A mass of 1990.5 kg falls."],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert without_tells([text, text]) == [text]


def test_pieces_are_whole_lines_and_lose_nothing() -> None:
    text = "".join(f"line {number}\n" for number in range(1000))
    found = pieces(text)
    assert "".join(found) == text
    assert all(len(piece) <= PIECE and piece.endswith("\n") for piece in found)


def test_there_is_source_to_read() -> None:
    assert len([*source_pieces()]) > 100


@pytest.mark.skipif(not DATA.exists(), reason="the labelled rows are not here")
def test_every_sort_of_plain_text_has_rows() -> None:
    assert all(len(texts) > 50 for texts in plain_texts(DATA).values())
