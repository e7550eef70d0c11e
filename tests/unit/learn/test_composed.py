from random import Random

import pytest

from waypost.learn import composed
from waypost.learn.labels import ATTACKS, DOMAINS, PII_TYPES

VALUES = {kind: (f"<{kind}>",) for kind in PII_TYPES}


def test_values_stand_where_the_spans_say():
    text, spans = composed.fill(
        "{PERSON} <{EMAIL_ADDRESS}> wrote:", {"PERSON": ["Ann"], "EMAIL_ADDRESS": ["a@b.c"]}, Random(0)
    )
    assert text == "Ann <a@b.c> wrote:"
    assert spans == ((0, 3, "PERSON"), (5, 10, "EMAIL_ADDRESS"))


def test_every_context_names_known_types():
    rows = list(composed.personal_rows(VALUES, Random(0)))
    assert all(kind in PII_TYPES for row in rows for _, _, kind in row.spans)
    assert all(row.spans for row in rows)


def test_chinese_contexts_get_chinese_names():
    rows = [row for row in composed.personal_rows(VALUES, Random(0)) if row.text.startswith("我叫")]
    assert rows
    assert all("<PERSON>" not in row.text for row in rows)


def test_topics_and_attacks_cover_all_labels():
    assert {row.domain for row in composed.topic_rows(Random(0))} == set(DOMAINS)
    assert {row.domain for row in composed.everyday_rows()} == set(DOMAINS)
    assert {row.attack for row in composed.attack_rows()} == set(ATTACKS)


@pytest.mark.parametrize("rows", [composed.plain_rows(), composed.attack_rows(), composed.everyday_rows()])
def test_own_texts_are_texts(rows):
    assert all(isinstance(row.text, str) and row.text.strip() for row in rows)


def test_marked_values_are_collected():
    row = next(composed.personal_rows({**VALUES, "PERSON": ("Ann",)}, Random(0)))
    assert "Ann" in composed.values_of([row])["PERSON"]
