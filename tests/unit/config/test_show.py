import pytest
import yaml

from waypost.config.find import embedded
from waypost.config.load import load, loads
from waypost.config.show import show, shown

SECRETS = """\
version: 1
models:
  a:
    endpoints: [{url: "https://${HOST}/v1"}]
    api_key_env: KEY
    served_as: ${NAME:-llama}
envoy: {outlier_detection: null}
encoder: {threads: "${THREADS}"}
routing:
  default_model: a
  decisions:
    - name: d
      models: [{model: a}]
      system_prompt: {text: "Literal $${HOST}; see https://me:secret@host/x and no: on"}
"""
ENVIRON = {"HOST": "secret.example.com", "KEY": "sk-secret", "NAME": "1e3", "THREADS": "3"}


@pytest.mark.parametrize("name", ["demo", "starter"])
def test_what_is_shown_loads_again_to_the_same(name):
    loaded = load(embedded(name), {})
    again = loads(show(loaded), "shown", {})
    assert (again.config, again.digest, again.warnings) == (loaded.config, loaded.digest, ())


def test_defaults_are_filled_in_and_units_are_readable():
    shown = yaml.safe_load(show(load(embedded("demo"), {})))
    assert shown["envoy"]["max_request_body"] == "50MiB"
    assert shown["envoy"]["request_timeout"] == "10m"
    assert shown["listeners"]["http"] == "127.0.0.1:8801"
    assert "served_as" not in shown["models"]["demo-math"].get("pricing", {})
    assert "pricing" not in shown["models"]["demo-math"], "what is absent stays absent"


def test_nothing_secret_is_shown():
    text = show(loads(SECRETS, "f", ENVIRON))
    assert "secret" not in text
    assert "https://${HOST}/v1" in text
    assert "${NAME:-llama}" in text
    assert "https://***@host/x" in text


@pytest.mark.parametrize("loaded", [load(embedded("demo"), {}), loads(SECRETS, "f", ENVIRON)], ids=["demo", "secrets"])
def test_the_values_are_those_of_the_yaml(loaded):
    assert shown(loaded) == yaml.safe_load(show(loaded))


def test_a_file_with_variables_is_shown_so_that_it_loads_again():
    loaded = loads(SECRETS.replace("me:secret@", ""), "f", ENVIRON)
    again = loads(show(loaded), "shown", ENVIRON)
    assert again.config == loaded.config
    assert again.templates == loaded.templates
    assert again.config.envoy.outlier_detection is None
    assert again.config.models["a"].served_as == "1e3"
    assert "Literal ${HOST}" in again.config.routing.decisions[0].system_prompt.text
