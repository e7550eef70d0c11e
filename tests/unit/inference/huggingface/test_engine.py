"""A model of the operator's own from the configuration to a route."""

import json

import pytest

from waypost.build import build_engine, load_encoder
from waypost.config.load import loads
from waypost.errors import ConfigError
from waypost.types import Message, Request

FILE = """version: 1
models: {{a: {{endpoints: [{{url: http://h:1}}]}}, b: {{endpoints: [{{url: http://h:2}}]}}}}
classifiers: {{domain: {{model: {model}, threshold: 0, {more}}}}}
encoder: {{deadline: 60s}}
routing:
  default_model: a
  decisions:
    - {{name: d, when: {{domain: [{names}]}}, models: [{{model: b}}]}}
"""


def config(directory, names, more=""):
    return loads(FILE.format(model=directory, names=names, more=more), "f", {}).config


@pytest.fixture
def directory(make_model):
    """A model with names of the operator's own for its labels."""
    made = make_model("modernbert")
    mapping = {"category_to_idx": {"billing": 0, "returns & refunds": 1, "退货": 2}}
    (made / "category_mapping.json").write_text(json.dumps(mapping))
    return made


async def test_a_request_is_routed_by_its_labels(directory):
    found = config(directory, '"billing", "returns & refunds", "退货"')
    assert load_encoder(found) is None
    engine = build_engine(found, {})
    routed = await engine.route(Request("chat", "MoM", (Message("user", "hello"),), "hello"))
    assert routed.selection.model == "b"
    assert routed.category in {"billing", "returns & refunds", "退货"}
    assert set(routed.signals["domain"].scores) == {"billing", "returns & refunds", "退货"}


def test_a_label_that_the_model_does_not_have_stops_the_start(directory):
    with pytest.raises(ConfigError) as error:
        build_engine(config(directory, "billing, biling, law"), {})
    where = "configuration routing.decisions[0].when"
    known = "(known: billing, returns & refunds, 退货)"
    assert str(error.value).splitlines() == [
        f"{where}.domain[1]: {directory} has no label 'biling' (did you mean 'billing'?)",
        f"{where}.domain[2]: {directory} has no label 'law' {known}",
    ]


def test_a_model_that_no_rule_asks_is_not_even_read(tmp_path):
    (tmp_path / "config.json").touch()
    text = FILE.format(model=tmp_path, names="x", more="").replace("domain: [x]", "language: zh")
    assert "domain" not in build_engine(loads(text, "f", {}).config, {}).signals
