import pytest

from waypost.learn.card import trained_card

FACTS = {
    "task": "embedding",
    "data": {"digest": "ab12", "rows": {"pairs": 30}, "dev_rows": 8},
    "lora": {"rank": 8, "alpha": 16, "dropout": 0.1, "targets": ("query",), "from_layer": 6},
    "settings": {"rate": 0.001, "batch_tokens": 100, "epochs": 5, "seed": 7},
    "scores": [{"total": 0.8, "cache_auc": 0.8}, {"total": 0.7, "cache_auc": 0.7}],
    "best": 0.8,
    "best_epoch": 0,
    "seconds": 130,
}


def test_the_card_names_data_settings_scores_and_limits() -> None:
    card = trained_card({"pii": ("O", "B-PERSON")}, FACTS)
    for said in (
        "- **pii**: O, B-PERSON",
        "| 1 (kept) | 0.8000 | 0.8000 |",
        "30 rows, SHA-256 `ab12`; 8 development texts",
        "LoRA of rank 8 (alpha 16, dropout 0.1) on query of the layers from 6 on",
        "2 of at most 5 epochs, seed 7, 2 minutes",
        "## Limits",
    ):
        assert said in card


@pytest.mark.parametrize(("before", "warns"), [(0.9, True), (0.5, False)])
def test_a_card_says_when_training_was_in_vain(before: float, warns: bool) -> None:
    card = trained_card({}, {**FACTS, "before": {"total": before, "cache_auc": before}})
    assert ("No epoch was better" in card) == warns
    assert f"| before | {before:.4f}" in card
