from random import Random

import pytest

from waypost.learn.batches import epoch_batches, group_by_width
from waypost.learn.corpus import IGNORED, UNKNOWN, Corpus
from waypost.learn.labels import PII_TAGS
from waypost.learn.rows import Row

LONG = "The number is 555 0199. " * 60


@pytest.fixture
def corpus(cutter):
    rows = [Row("Anna lives in Berlin " * length, "t", rate=0.5 if length == 3 else 1.0) for length in range(1, 9)]
    packed = [cutter.pack(row, number // 2, 4, Random(0)) for number, row in enumerate(rows)]
    return Corpus.of(packed)


def test_a_long_text_keeps_its_first_and_last_window(cutter):
    whole = cutter.pack(Row(LONG, "t"), 0, 64, Random(0)).windows
    kept = cutter.pack(Row(LONG, "t"), 0, 3, Random(0)).windows
    assert len(whole) > 3
    assert len(kept) == 3
    assert (kept[0], kept[-1]) == (whole[0], whole[-1])
    assert kept[1] in whole[1:-1]


def test_tags_lie_on_the_text_alone(cutter):
    packed = cutter.pack(Row("in Berlin", "t", spans=((3, 9, "GPE"),)), 0, 3, Random(0))
    assert packed.tags is not None
    (tags,) = packed.tags
    assert len(tags) == len(packed.windows[0])
    assert (tags[0], tags[-1]) == (IGNORED, IGNORED)
    assert PII_TAGS.index("B-GPE") in tags


def test_unknown_labels_have_no_number(cutter):
    packed = cutter.pack(Row("in Berlin", "t"), 0, 3, Random(0))
    assert (packed.domain, packed.attack, packed.indirect, packed.tags) == (UNKNOWN, UNKNOWN, UNKNOWN, None)


def test_every_token_has_its_own_number(corpus):
    assert corpus.tokens == sum(len(window) for row in corpus.rows for window in row.windows)
    assert corpus.first_window[-1] == len(corpus.first_token) - 1


def test_an_epoch_draws_one_edition_of_a_text(corpus):
    for epoch in range(10):
        drawn = [row for batch in epoch_batches(corpus, 500, 1, epoch) for row in batch]
        groups = [corpus.rows[row].group for row in drawn]
        assert len(groups) == len(set(groups))
        assert {0, 2, 3} <= set(groups)


def test_epochs_differ_but_repeat_with_the_seed(corpus):
    epochs = [epoch_batches(corpus, 500, 1, epoch) for epoch in range(8)]
    assert epochs == [epoch_batches(corpus, 500, 1, epoch) for epoch in range(8)]
    assert any(epoch != epochs[0] for epoch in epochs)


@pytest.mark.parametrize("tokens", [1, 60, 200, 10**6])
def test_batches_keep_to_their_size_and_lose_no_row(corpus, tokens):
    batches = group_by_width(corpus, range(len(corpus.rows)), tokens)
    assert sorted(row for batch in batches for row in batch) == list(range(len(corpus.rows)))
    for batch in batches:
        windows = sum(len(corpus.rows[row].windows) for row in batch)
        assert len(batch) == 1 or windows * max(map(corpus.width, batch)) <= tokens
