"""The embedding alone, really trained on four tiny layers."""

from random import Random

import pytest

from waypost.errors import DataError
from waypost.learn.corpus import Corpus

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")
pytest.importorskip("peft", reason="training needs the extra 'train'")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")

from waypost.learn.contrast import PairJudge, PairTrainer, contrast, corpus_of  # noqa: E402
from waypost.learn.loop import Settings  # noqa: E402
from waypost.learn.lora import LoraSettings, adapt  # noqa: E402
from waypost.learn.losses import LossWeights  # noqa: E402
from waypost.learn.multitask import MultiTask  # noqa: E402
from waypost.learn.pairs import Held, Pair, Pairs, development_pairs, training_pairs  # noqa: E402
from waypost.learn.states import StateCache  # noqa: E402
from waypost.learn.trunk import Trunk, bert  # noqa: E402

LORA = LoraSettings(rank=4, alpha=8, from_layer=2)
TWINS = (("enzyme", "contract"), ("instructions", "Berlin"), ("number", "system"), ("spoken", "copies"))
"""Words that mean the same here and nowhere else."""


def learnt() -> Pairs:
    pairs = Pairs()
    for number in range(12):
        for left, right in TWINS:
            pairs.pairs.append(Pair(pairs.number(f"{number} {left} {number}"), pairs.number(f"{number} {right}")))
    return pairs


def held_out() -> Held:
    texts = [f"{number} {word} is" for number in range(30, 40) for twins in TWINS for word in twins]
    place = {text: index for index, text in enumerate(texts)}
    couples = [
        (place[f"{number} {left} is"], place[f"{number} {other} is"], other == right)
        for number in range(30, 40)
        for left, right in TWINS
        for _, other in TWINS
    ]
    queries = tuple((left, (right,)) for left, right, same in couples if same)
    return Held(tuple(texts), tuple(couples), queries, tuple(sorted({right for _, right, _ in couples})))


@pytest.fixture
def model(tiny_base):
    torch.manual_seed(1)
    trunk = bert(tiny_base)
    return MultiTask(Trunk(trunk, LORA.from_layer, adapt(trunk, LORA)), ())


def make_trainer(model, pairs, cutter, directory, **settings):
    corpus = corpus_of(pairs.texts, cutter)
    chosen = {"epochs": 15, "patience": 15, "rate": 0.01, "batch_tokens": 400, "save_every": 1000}
    chosen |= {"weights": LossWeights(embedding=0.1, geometry=0.1), **settings}
    cache = StateCache(corpus, 16, directory / "train")
    return PairTrainer(model, pairs, corpus, cache, Settings(**chosen), directory, lambda _: None)


def test_the_loss_falls_and_what_belongs_together_is_found(model, cutter, tmp_path):
    judge = PairJudge(held_out(), cutter)
    dev = StateCache(judge.corpus, 16, tmp_path / "dev")
    before = judge.score(model, dev)
    history = make_trainer(model, learnt(), cutter, tmp_path).run(lambda: judge.score(model, dev))
    after = judge.score(model, dev)
    assert before["cosine"] == pytest.approx(1, abs=0.01)
    assert history.losses[-1]["contrast"] < history.losses[0]["contrast"] * 0.7
    assert after["cache_auc"] > before["cache_auc"] + 0.15
    assert after["total"] == pytest.approx(history.best)


def test_distillation_keeps_the_embedding(model, cutter, tmp_path):
    judge = PairJudge(held_out(), cutter)
    dev = StateCache(judge.corpus, 16, tmp_path / "dev")
    held_fast = LossWeights(embedding=100, contrast=0)
    make_trainer(model, learnt(), cutter, tmp_path, epochs=3, weights=held_fast).run(lambda: judge.score(model, dev))
    assert judge.score(model, dev)["cosine"] > 0.97


def test_batches_hold_every_pair_once_and_repeat(model, cutter, tmp_path):
    trainer = make_trainer(model, learnt(), cutter, tmp_path)
    lesson = trainer._lesson
    first = lesson.batches(0)
    assert sorted(number for batch in first for number in batch) == list(range(48))
    assert (first == lesson.batches(0), first == lesson.batches(1)) == (True, False)
    assert len(first) > 3


def unit(*rows):
    return torch.nn.functional.normalize(torch.tensor(rows, dtype=torch.float32), dim=-1)


def test_the_loss_is_small_where_pairs_lie_together():
    known = Pairs(kin={n: {n} for n in range(4)})
    pairs = [Pair(0, 1), Pair(2, 3)]
    near = contrast(unit([1, 0], [1, 0], [0, 1], [0, 1]), (0, 1, 2, 3), pairs, known)
    far = contrast(unit([1, 0], [0, 1], [0, 1], [1, 0]), (0, 1, 2, 3), pairs, known)
    assert near < 1e-6
    assert far > 10


def test_a_lookalike_costs_and_kin_does_not():
    vectors, texts = unit([1, 0], [1, 0], [1, 0]), (0, 1, 2)
    lookalike = contrast(vectors, texts, [Pair(0, 1, (2,))], Pairs(kin={n: {n} for n in texts}))
    kin = contrast(vectors, texts, [Pair(0, 1, (2,))], Pairs(kin={0: {0, 1, 2}, 1: {0, 1, 2}, 2: {0, 1, 2}}))
    assert lookalike == pytest.approx(torch.log(torch.tensor(2.0)).item() / 2)
    assert kin == pytest.approx(0)


def test_pairs_of_a_directory(tiny_data):
    held = development_pairs(tiny_data)
    pairs, left_out = training_pairs(tiny_data, held, Random(0))
    assert left_out == 0
    assert len(pairs.pairs) == 12 + 24
    couple = pairs.pairs[0]
    assert [pairs.texts[number] for number in (couple.left, couple.right, *couple.against)] == [
        "Prove that the sum of 0 even numbers is even.",
        "Anna Schmidt lives in Berlin since 0 and her number is 555 0199.",
        "Which enzyme copies 0 DNA in a cell?",
    ]
    assert couple.right in pairs.kin[couple.left]
    assert len(held.documents) == 12
    assert len(held.queries) == 8
    assert {same for *_, same in held.couples} == {True, False}


def test_what_hangs_together_is_kin(tmp_path, tiny_data):
    (tiny_data / "cache_pairs_train.jsonl").write_text(
        "".join(
            f'{{"a": "{a}", "b": "{b}", "label": {label}}}\n' for a, b, label in ("xy1", "yz1", "xz0", "uv1", "uw0")
        )
    )
    (tiny_data / "tools_train.jsonl").unlink()
    pairs, _ = training_pairs(tiny_data, development_pairs(tiny_data), Random(0))
    named = {pairs.texts[text]: {pairs.texts[other] for other in kin} for text, kin in pairs.kin.items()}
    assert named == {"x": set("xyz"), "y": set("xyz"), "z": set("xyz"), "u": set("uv"), "v": set("uv"), "w": {"w"}}
    assert [[pairs.texts[text] for text in pair.against] for pair in pairs.pairs] == [[], [], ["w"]]


def test_pairs_that_give_away_dev_are_left_out(tiny_data):
    row = (tiny_data / "cache_pairs_dev.jsonl").read_text("utf-8").splitlines()[0]
    with (tiny_data / "cache_pairs_train.jsonl").open("a") as file:
        file.write(row + "\n")
    pairs, left_out = training_pairs(tiny_data, development_pairs(tiny_data), Random(0))
    assert (left_out, len(pairs.pairs)) == (1, 36)


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("tools_train", '{"text": "x", "gold": ["gone"]}', "tools_corpus lacks: .'gone'"),
        ("tools_train", '{"text": "x", "gold": []}', "asks for no tool"),
        ("cache_pairs_train", '{"a": "x", "b": "y", "label": 2}', "is 0 or 1, not 2"),
    ],
)
def test_rows_that_cannot_be_learnt(tiny_data, name, row, message):
    (tiny_data / f"{name}.jsonl").write_text(row + "\n")
    with pytest.raises(DataError, match=message):
        training_pairs(tiny_data, development_pairs(tiny_data), Random(0))


def test_a_long_text_is_one_row(cutter):
    corpus = corpus_of(["Berlin " * 400, "Berlin"], cutter)
    assert isinstance(corpus, Corpus)
    assert [len(row.windows) for row in corpus.rows] == [8, 1]
