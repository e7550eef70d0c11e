from pathlib import Path
from random import Random

import pytest

from waypost.errors import SetupError
from waypost.learn.labels import ATTACKS, DOMAINS, PII_TYPES
from waypost.learn.sources import development_rows, training_rows

DATA = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="module")
def rows():
    if not DATA.exists():
        pytest.skip(f"no training data in {DATA}")
    return training_rows(DATA, Random(7)), development_rows(DATA)


def test_labels_are_known_ones(rows):
    for row in (*rows[0], *rows[1]):
        assert row.domain in (None, *DOMAINS)
        assert row.attack in (None, *ATTACKS)
        assert all(kind in PII_TYPES and 0 <= start < end <= len(row.text) for start, end, kind in row.spans or ())


def test_every_task_can_be_learnt_and_judged(rows):
    for part in rows:
        assert {row.domain for row in part} >= set(DOMAINS)
        assert {row.attack for row in part} >= set(ATTACKS)
        assert any(row.spans for row in part)
        assert any(row.spans == () for row in part)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SetupError, match="--data"):
        training_rows(tmp_path, Random(0))
