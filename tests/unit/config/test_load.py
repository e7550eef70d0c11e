from pathlib import Path

import pytest

from waypost.config.find import embedded
from waypost.config.load import load, loads
from waypost.config.schema import DecisionConfig
from waypost.errors import ConfigError
from waypost.signals.names import DOMAINS

GOOD = "version: 1\nmodels: {a: {endpoints: [{url: http://h:1}]}}\nrouting: {default_model: a}\n"


@pytest.mark.parametrize("name", ["demo", "starter"])
def test_what_ships_loads_without_a_warning(name):
    loaded = load(embedded(name), {})
    assert loaded.warnings == ()
    assert loaded.path == embedded(name)
    assert loaded.config.routing.decisions


def decision(name: str) -> DecisionConfig:
    decisions = load(embedded("demo"), {}).config.routing.decisions
    return next(decision for decision in decisions if decision.name == name)


def test_the_demo_shows_its_four_models_and_every_kind_of_signal():
    config = load(embedded("demo"), {}).config
    assert config.demo is not None
    urls = {endpoint.url for model in config.models.values() for endpoint in model.endpoints}
    assert urls == {f"http://{config.demo.listen}"}
    assert len({model.served_as for model in config.models.values()}) == len(config.models) == 4
    best = {max(item.models, key=lambda choice: choice.score).model for item in config.routing.decisions}
    assert best == set(config.models)
    rules = str([item.when for item in config.routing.decisions])
    assert all(f"{kind}=None" in rules and f"{kind}='" in rules for kind in ("domain", "keyword", "language", "length"))
    assert config.routing.decisions[-1].when is None
    assert set(decision("math").when.domain) < set(DOMAINS)


def test_a_good_file(tmp_path):
    path = tmp_path / "waypost.yaml"
    path.write_text(GOOD, "utf-8")
    loaded = load(path, {})
    assert loaded.config.models["a"].endpoints[0].url == "http://h:1"
    assert loaded.path == path
    assert loaded.warnings == ()


def test_a_byte_order_mark_and_windows_lines_do_no_harm(tmp_path):
    path = tmp_path / "waypost.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(path, {}).config == loads(GOOD, "f", {}).config


@pytest.mark.parametrize(
    "content, expected",
    [
        (None, "{path} cannot be read: no such file or directory"),
        (b"version: 1\nmodels: \xff", "{path}:2:9 is not UTF-8 here"),
        (b"#" * (2**20 + 1), "{path} is larger than 1 MiB, which is no configuration file"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, content, expected):
    path = tmp_path / "waypost.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load(path, {})
    assert str(raised.value) == expected.format(path=path)


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: is a directory"):
        load(tmp_path, {})


def test_the_digest_follows_the_values_and_nothing_else():
    def digest(text: str, **environ: str) -> str:
        return loads(text, "f", environ).digest

    plain = digest(GOOD)
    assert len(plain) == 12
    assert int(plain, 16) >= 0
    assert digest("# other words\n" + GOOD.replace("{default_model: a}", '{"default_model": "a"}')) == plain
    assert digest(GOOD + "encoder: {threads: 2}") == plain, "a default written out changes nothing"
    assert (
        digest(GOOD.replace("http://h:1", "${URL}").replace("{url: ${URL}}", "{url: '${URL}'}"), URL="http://h:1")
        == plain
    )
    assert digest(GOOD + "encoder: {threads: 3}") != plain
    assert digest(GOOD + "encoder: {threads: '${N}'}", N="3") != digest(GOOD + "encoder: {threads: '${N}'}", N="4")


def test_values_from_the_environment_fit_their_place_and_are_remembered():
    text = (
        GOOD
        + "encoder: {threads: '${THREADS}'}\nenvoy: {enabled: '${ENVOY:-false}'}\n"
        + "observability: {logs: {level: '${L}'}}"
    )
    loaded = loads(text, "f", {"THREADS": "3", "L": "debug"})
    assert loaded.config.encoder.threads == 3
    assert loaded.config.envoy.enabled is False
    assert loaded.config.observability.logs.level == "debug"
    assert loaded.templates == {
        ("encoder", "threads"): "${THREADS}",
        ("envoy", "enabled"): "${ENVOY:-false}",
        ("observability", "logs", "level"): "${L}",
    }


def test_a_number_from_the_environment_stays_text_where_text_belongs():
    text = GOOD.replace("[{url: http://h:1}]", "[{url: http://h:1}], served_as: '${NAME}'")
    assert loads(text, "f", {"NAME": "0123"}).config.models["a"].served_as == "0123"


def test_the_name_stands_for_the_file():
    with pytest.raises(ConfigError) as raised:
        loads("version: 2", str(Path("etc", "w.yaml")), {})
    assert str(raised.value).startswith(str(Path("etc", "w.yaml")) + ":1:")
