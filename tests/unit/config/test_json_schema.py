import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from waypost.config.find import embedded
from waypost.config.json_schema import json_schema
from waypost.config.load import load
from waypost.config.show import show
from waypost.signals.names import DOMAINS

GOOD = "version: 1\nmodels: {a: {endpoints: [{url: http://h:1}]}}\nrouting: {default_model: a}\n"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(json_schema())
    return Draft202012Validator(json_schema())


def test_it_is_the_same_every_time_and_says_what_it_is():
    assert json.dumps(json_schema()) == json.dumps(json_schema())
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json_schema()["title"] == "waypost.yaml"


@pytest.mark.parametrize("name", ["demo", "starter"])
def test_what_ships_and_what_is_shown_is_valid(name, validator):
    validator.validate(yaml.safe_load(embedded(name).read_text("utf-8")))
    validator.validate(yaml.safe_load(show(load(embedded(name), {}))))


def test_every_key_has_a_description_or_is_a_section():
    definitions = json_schema()["$defs"]
    assert definitions["DecisionConfig"]["properties"]["priority"]["description"].startswith("Higher wins")
    assert definitions["Endpoint"]["description"].startswith("One server of a model")
    assert all("description" in definition for definition in definitions.values())


def test_defaults_stand_as_in_a_file(validator):
    definitions = json_schema()["$defs"]
    assert definitions["Envoy"]["properties"]["message_timeout"]["default"] == "5s"
    assert definitions["Listeners"]["properties"]["http"]["default"] == "127.0.0.1:8801"
    for section, name in (("envoy", "Envoy"), ("listeners", "Listeners"), ("encoder", "Encoder")):
        parts = definitions[name]["properties"].items()
        defaults = {key: part["default"] for key, part in parts if part.get("default") is not None}
        validator.validate(yaml.safe_load(GOOD) | {section: defaults})


@pytest.mark.parametrize(
    "addition, valid",
    [
        ({"encoder": {"threads": 2}}, True),
        ({"encoder": {"threads": "${THREADS:-2}"}}, True),
        ({"encoder": {"threads": "2"}}, False),
        ({"encoder": {"threads": 65}}, False),
        ({"encoder": {"deadline": "250ms"}}, True),
        ({"encoder": {"deadline": "${DEADLINE}"}}, True),
        ({"encoder": {"deadline": "250"}}, False),
        ({"envoy": {"max_request_body": "1.5 MiB"}}, True),
        ({"envoy": {"max_request_body": 5}}, False),
        ({"envoy": {"enabled": "${ENVOY}"}}, True),
        ({"envoy": {"outlier_detection": None}}, True),
        ({"listeners": {"http": "[::1]:8801"}}, True),
        ({"listeners": {"http": "8801"}}, False),
        ({"listners": {}}, False),
        ({"routing": {"default_model": "a", "explicit_models": "rout"}}, False),
        ({"models": {"two words": {"endpoints": [{"url": "http://h"}]}}}, False),
    ],
)
def test_values(addition: dict[str, Any], valid: bool, validator):
    assert validator.is_valid(yaml.safe_load(GOOD) | addition) is valid


@pytest.mark.parametrize(
    "rule, valid",
    [
        *(({"domain": domain}, True) for domain in DOMAINS),
        ({"domain": "a label of your own classifier"}, True),
        ({"domain": ["math", "law"]}, True),
        ({"not": {"language": "zh"}}, True),
        ({"not_": {"language": "zh"}}, False),
        ({"all": [{"any": [{"keyword": "k"}]}]}, True),
        ({"all": [{"any": [{"keywrd": "k"}]}]}, False),
        ({}, False),
        ({"domain": "math", "language": "zh"}, False),
    ],
)
def test_rules(rule: dict[str, Any], valid: bool, validator):
    decision = {"name": "d", "models": [{"model": "a"}], "when": rule}
    file = yaml.safe_load(GOOD) | {"routing": {"default_model": "a", "decisions": [decision]}}
    assert validator.is_valid(file) is valid
