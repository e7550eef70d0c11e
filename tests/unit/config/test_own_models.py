"""What ``waypost check`` says of models of the operator's own."""

import pytest

from waypost.config.load import loads
from waypost.errors import ConfigError

FILE = "version: 1\nmodels: {{a: {{endpoints: [{{url: http://h:1}}]}}}}\nrouting: {{default_model: a}}\n{rest}\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "models" / "mine" / "config.json").touch()
    (tmp_path / "models" / "adapter").mkdir()
    (tmp_path / "models" / "adapter" / "adapter_config.json").touch()
    (tmp_path / "labels.json").touch()


def load(classifiers):
    return loads(FILE.format(rest=f"classifiers: {{{classifiers}}}"), "f", {})


@pytest.mark.parametrize(
    "model",
    [
        "bundled",
        "./models/mine",
        "models/mine",
        "models/adapter, base: models/mine",
        "models/adapter, base: org/name",
        "org/name",
        "org/name, revision: v1",
        "org/name, mapping: labels.json, window: 512, precision: fp32, prefix: 'query: '",
    ],
)
def test_good(model):
    assert load(f"domain: {{model: {model}}}").warnings == ()


@pytest.mark.parametrize(
    "classifiers, message",
    [
        ("domain: {model: ./none}", "f:4:31 classifiers.domain.model: there is no directory './none'"),
        (
            "domain: {model: none}",
            "f:4:31 classifiers.domain.model: there is no directory 'none', and it is not the id",
        ),
        (
            "domain: {model: bundeld}",
            "classifiers.domain.model: there is no directory 'bundeld' (did you mean 'bundled'?)",
        ),
        ("domain: {model: empty}", "the directory 'empty' has no config.json and no adapter_config.json"),
        ("domain: {model: a/b, mapping: no.json}", "f:4:45 classifiers.domain.mapping: there is no file 'no.json'"),
        ("domain: {model: a/b, base: ./x}", "f:4:42 classifiers.domain.base: there is no directory './x'"),
        ("domain: {prefix: q}", "f:4:32 classifiers.domain.prefix: has no effect on the bundled model"),
        ("domain: {model: a/b, window: 513}", "classifiers.domain.window: must be between 32 and 512, found 513"),
        ("domain: {model: a/b, precision: int4}", "classifiers.domain.precision: expected int8 or fp32, found 'int4'"),
        ("domain: {model: ''}", "classifiers.domain.model: must not be empty"),
        ("jailbreak: {model: a/b}", "classifiers.jailbreak.model: jailbreak can only be 'bundled' as yet"),
    ],
)
def test_mistakes(classifiers, message):
    with pytest.raises(ConfigError) as error:
        load(classifiers)
    assert message in str(error.value)


def test_any_domain_may_be_named_when_the_model_is_not_the_bundled_one():
    decision = "decisions: [{name: d, when: {domain: billing}, models: [{model: a}]}]"
    routed = f"default_model: a, {decision}"
    text = FILE.format(rest="classifiers: {domain: {model: org/name}}").replace("default_model: a", routed)
    loads(text, "f", {})
    with pytest.raises(ConfigError, match="unknown domain 'billing'"):
        loads(text.replace("org/name", "bundled"), "f", {})
