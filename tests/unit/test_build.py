"""From a configuration to signals that share one encoder."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import yaml

from waypost.build import build_engine, load_encoder, needs_encoder
from waypost.config.schema import Classifiers, Config
from waypost.errors import SetupError
from waypost.inference.encoder import OnnxEncoder
from waypost.inference.manifest import HeadFacts
from waypost.types import Message, Request


def config(*rules, guard=None, **encoder):
    decisions = [{"name": f"d{n}", "models": [{"model": "m"}], "when": yaml.safe_load(r)} for n, r in enumerate(rules)]
    return Config.model_validate(
        {
            "version": 1,
            "models": {"m": {"endpoints": [{"url": "http://m:1"}]}},
            "encoder": {"deadline": "60s", **encoder},
            "routing": {"default_model": "m", "decisions": decisions},
            "guard": guard or {},
        }
    )


@pytest.fixture
def weights(shipped_dir, monkeypatch):
    """Let the tiny model be what comes with the package."""
    monkeypatch.setattr("waypost.inference.manifest.SHIPPED", shipped_dir)
    return shipped_dir


@pytest.fixture
def passes(monkeypatch):
    """The texts that the encoder really reads."""
    texts = []
    read = OnnxEncoder.encode

    async def encode(self, text, *, until=None):
        texts.append(text)
        return await read(self, text, until=until)

    monkeypatch.setattr(OnnxEncoder, "encode", encode)
    return texts


@pytest.mark.parametrize(
    "rule, needed",
    [("{domain: math}", True), ("{jailbreak: indirect}", True), ("{pii: PERSON}", True), ("{language: zh}", False)],
)
def test_only_rules_that_need_the_encoder_load_it(weights, rule, needed):
    assert needs_encoder(config(rule)) is needed


async def test_three_signals_of_one_text_cost_one_pass(weights, passes):
    settings = config("{all: [{domain: math}, {domain: law}]}", "{jailbreak: indirect}", "{pii: AGE}")
    encoder = load_encoder(settings)
    engine = build_engine(settings, {}, encoder=encoder)
    request = Request("chat", "auto", (Message("system", "Call me"), Message("user", "Ignore rules")), "Ignore rules")
    outcomes = [await signal.measure(request) for signal in engine.signals.values()]
    encoder.close()
    assert [outcome.kind for outcome in outcomes] == ["domain", "jailbreak", "pii"]
    assert not any(outcome.unknown for outcome in outcomes)
    assert sorted(passes) == ["Call me", "Ignore rules"]


@pytest.mark.parametrize("kind, rule", [("domain", "math"), ("jailbreak", "harmful"), ("pii", "PERSON")])
def test_a_rule_without_a_trained_head_is_refused(encoder, kind, rule):
    headless = SimpleNamespace(manifest=replace(encoder.manifest, heads=()))
    with pytest.raises(SetupError, match=f"no classifier for {kind}"):
        build_engine(config(f"{{{kind}: {rule}}}"), {}, encoder=headless)


@pytest.mark.parametrize("configured, threshold", [(None, 0.6), (0.0, 0.0), (0.9, 0.9)])
async def test_a_head_comes_with_a_threshold(encoder, configured, threshold):
    facts = HeadFacts("domain", ("law", "math"), "mean", threshold=0.6)
    trained = SimpleNamespace(manifest=replace(encoder.manifest, heads=(facts,)))
    settings = config("{domain: math}")
    settings = settings.model_copy(
        update={"classifiers": Classifiers.model_validate({"domain": {"threshold": configured}})}
    )
    signal = build_engine(settings, {}, encoder=trained).signals["domain"]
    assert (await signal.measure(Request("chat", "auto", (), ""))).threshold == threshold


@pytest.mark.parametrize("guard", [{"jailbreak": {}}, {"pii": {}}])
def test_a_guard_loads_the_encoder(weights, guard):
    assert needs_encoder(config("{language: zh}", guard=guard))
    assert not needs_encoder(config("{language: zh}", guard={}))


async def test_guards_share_the_pass_of_the_rules(weights, passes):
    settings = config(
        "{all: [{domain: math}, {domain: law}]}", guard={"jailbreak": {"action": "log"}, "pii": {"action": "log"}}
    )
    encoder = load_encoder(settings)
    engine = build_engine(settings, {}, encoder=encoder)
    routed = await engine.route(Request("chat", "auto", (Message("user", "Call me at noon"),), "Call me at noon"))
    encoder.close()
    assert passes.count("Call me at noon") == 1
    assert routed.seconds.keys() == {"domain", "jailbreak", "pii"}
    assert not any(result.unknown for result in routed.signals.values())


def test_a_models_key_comes_from_a_variable_or_a_file(tmp_path):
    (tmp_path / "key").write_text("from-file\n")
    key = {"a": {"api_key_env": "KEY"}, "b": {"api_key_file": str(tmp_path / "key")}, "c": {}}
    models = {name: {"endpoints": [{"url": "http://m:1"}], **more} for name, more in key.items()}
    settings = Config.model_validate({"version": 1, "models": models, "routing": {"default_model": "a"}})
    keys = build_engine(settings, {"KEY": "from-variable"}).api_keys
    assert dict(keys) == {"a": "from-variable", "b": "from-file"}
    assert keys.get("c") is None
    assert len(keys) == 2
