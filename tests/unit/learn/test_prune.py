import gzip
import json
from pathlib import Path

import pytest
from sentencepiece import SentencePieceProcessor

from waypost.learn.export import PIECES
from waypost.learn.prune import choose_pieces, prune_tokenizer, segmentation_of

pytestmark = pytest.mark.timeout(600)  # the first to ask for the base downloads it

DATA = Path(__file__).parents[3] / "../shared/data"


@pytest.fixture(scope="module")
def whole(base):
    return base.tokenizer


@pytest.fixture(scope="module")
def pruned(whole):
    return prune_tokenizer(whole, choose_pieces(whole, (), PIECES))


@pytest.mark.parametrize(
    "text",
    [
        "Withdraw the currency; calculate 3.14 × 2² ≥ 1 😀👨‍👩‍👧",
        "帮我解这道微积分题:求 x^2·sin(x) 的导数",
        "質問です。カタカナとひらがな",
        "안녕하세요, 도움이 필요합니다",
        "Який найкращий спосіб? Жақсы.",
        "Làm thế nào? Où est-ce? Größe, žluťoučký kůň, İstanbul",
        "",
    ],
)
def test_supported_scripts_are_cut_as_before(whole, pruned, text):
    assert segmentation_of(pruned, [text]) == segmentation_of(whole, [text])


@pytest.mark.parametrize(
    "text", ["Πώς μπορώ να μάθω κολύμπι", "איך אני לומד", "გამარჯობა", "வணக்கம்", "ฉันจะเรียน", "كيف الحال"]
)
def test_other_scripts_are_still_read(pruned, text):
    tokenizer = SentencePieceProcessor(model_proto=pruned)
    assert tokenizer.unk_id() not in tokenizer.encode(text)


def test_special_pieces_keep_their_numbers_and_used_pieces_stay(whole):
    kept = choose_pieces(whole, {200_000}, 1000)
    assert kept[:4] == [0, 1, 2, 3]
    assert 200_000 in kept
    assert kept == sorted(set(kept))


def test_the_limit_holds(whole):
    assert len(choose_pieces(whole, (), PIECES)) == PIECES


@pytest.mark.skipif(not DATA.is_dir(), reason="the training data is not here")
@pytest.mark.parametrize("name", ["domain_dev", "jailbreak_dev", "pii_dev"])
def test_the_data_is_cut_as_before(whole, name):
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8", newline="\n") as file:
        texts = [json.loads(line)["text"] for line in file]
    used = {number for ids in SentencePieceProcessor(model_proto=whole).encode(texts) for number in ids}
    smaller = prune_tokenizer(whole, choose_pieces(whole, used, PIECES))
    assert segmentation_of(smaller, texts) == segmentation_of(whole, texts)
