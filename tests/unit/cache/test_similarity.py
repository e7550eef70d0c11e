import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from waypost.cache.match import match
from waypost.cache.reading import read
from waypost.cache.similarity import Similarity, overlap, shipped
from waypost.errors import SetupError
from waypost.learn.similarity import fit

DATA = Path(__file__).parents[4] / "shared/data/cache_pairs_train.jsonl.gz"


def test_grows_with_cosine_and_common_terms():
    a, b, c = read("reset my password"), read("reset the password please"), read("reset a router")
    similarity = shipped()
    assert overlap(a, b) == 1.0 > overlap(a, c) > overlap(a, read("?")) == 0.0
    assert similarity(a, b, 0.9) > similarity(a, b, 0.8)
    assert similarity(a, b, 0.9) > similarity(a, c, 0.9)
    assert similarity(a, b, 0.9) == similarity(b, a, 0.9)


def test_checks_are_for_what_is_similar():
    a, b = read("Is it legal?"), read("Is it illegal?")
    assert match(a, b, 0.99, shipped(), 0.0).refusal == "opposites"
    assert match(a, b, 0.99, shipped(), 1.0).refusal == "dissimilar"


def test_survives_a_file(tmp_path):
    shipped().dump(tmp_path / "similarity.json")
    assert Similarity.parse((tmp_path / "similarity.json").read_text()) == shipped()


@pytest.mark.parametrize("data", ["", "[]", '{"cosine": 1}'])
def test_says_what_to_do_about_a_damaged_file(data):
    with pytest.raises(SetupError, match="install waypost again"):
        Similarity.parse(data)


def test_fitting_finds_what_tells_pairs_apart():
    if not DATA.exists():
        pytest.skip(f"{DATA} is absent: the training pairs are not part of the repository")
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][::6]
    noise = np.random.default_rng(1).normal(0, 0.02, len(rows))
    fitted = fit(rows, 0.85 + 0.05 * np.array([row["label"] for row in rows]) + noise, "recipe")
    assert fitted.cosine > 0
    assert fitted.overlap > 0
    assert 0.5 < fitted.threshold < 1
