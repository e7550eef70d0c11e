"""Another configuration is tried without learning or reaching anything by it."""

from __future__ import annotations

import json
import threading

import pytest
import yaml

from waypost.serve.api.trial import MAX_TRIAL

EVAL = "/api/v1/eval"
TOKENS = {"READ": "read-token-of-some-length", "OPERATE": "operate-token-of-some-length"}
ENDPOINT = {"url": "http://127.0.0.1:1"}


def trial(**sections) -> str:
    """A configuration that sends everything with ``@c`` to the model ``c``."""
    keywords = [{"name": "c", "any": ["@c"]}]
    routing = {
        "default_model": "a",
        "signals": {"keywords": keywords},
        "decisions": [{"name": "to-c", "when": {"keyword": "c"}, "models": [{"model": "c"}]}],
    }
    models = {name: {"endpoints": [ENDPOINT]} for name in ("a", "c")}
    return json.dumps({"version": 1, "models": models, "routing": routing} | sections)


async def tried(http, config, text="hello @c", **headers):
    return await http.post(EVAL, json={"text": text, "config": config}, headers=headers)


async def test_the_other_configuration_answers(http):
    now = (await http.post(EVAL, json={"text": "hello @c"})).json()
    then = (await tried(http, trial())).json()
    assert [each["selected_model"] for each in (now, then)] == ["a", "c"]
    assert now["config"] != then["config"]
    assert (await http.post(EVAL, json={"text": "hello @c"})).json()["config"] == now["config"]


async def test_a_conversation_is_tried_too(http):
    messages = [{"role": "user", "content": "@c"}]
    answer = await http.post(EVAL, json={"messages": messages, "config": trial()})
    assert answer.json()["selected_model"] == "c"


async def test_guards_and_the_shared_encoder(http, encoder):
    told = (await tried(http, trial(guard={"pii": {"action": "mask"}}), "@c Alice")).json()
    assert told["masked_messages"][0]["content"] == "@c <PERSON_1>"
    assert encoder.read


async def test_without_an_encoder_there_is_nothing_to_share(client):
    answer = await tried(client(encoder=lambda: None), trial(guard={"pii": {"action": "mask"}}))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "encoder_not_loaded")


MISTAKES = {
    "no YAML": ("{", "config:1"),
    "no configuration": ("hello", "must hold keys"),
    "a misspelt key": (trial(modles={}), "did you mean 'models'"),
    "a dangling name": (trial(routing={"default_model": "z"}), "'z'"),
    "another encoder": (trial(encoder={"profile": "quality"}), "encoder.profile"),
    "a variable": (trial(models={"a": {"endpoints": [{"url": "http://${HIDDEN}"}]}}), "refer to the environment"),
    "a variable that is not set": (trial(routing={"default_model": "${NOWHERE}"}), "'NOWHERE' is not set"),
    "a directory": (trial(classifiers={"domain": {"model": "/etc"}}), "reads no file"),
    "a model of the hub": (trial(classifiers={"domain": {"model": "some/model"}}), "reads no file"),
    "a mapping": (trial(classifiers={"domain": {"mapping": "/etc/passwd"}}), "reads no file"),
    "a file with a key": (trial(models={"a": {"endpoints": [ENDPOINT], "api_key_file": "/etc/passwd"}}), "no file"),
    "a certificate": (trial(tls={"api": {"certificate": "/etc/passwd", "key": "/etc/shadow"}}), "no file"),
}


@pytest.mark.parametrize(("config", "said"), MISTAKES.values(), ids=MISTAKES)
async def test_what_is_refused(client, config, said, environ):
    environ["HIDDEN"] = "very-secret"
    answer = await tried(client(environ=environ), config)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "invalid_configuration")
    assert said in error["message"]
    assert "very-secret" not in answer.text


async def test_too_long_a_configuration(http):
    answer = await tried(http, "x" * (MAX_TRIAL + 1))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "config")


async def test_no_more_threads_than_before(http):
    await tried(http, trial())
    before = threading.active_count()
    for number in range(3):
        await tried(http, trial(), f"@c {number}")
    assert threading.active_count() <= before + 1  # the pool that builds them may grow by one


class TestRoles:
    @pytest.fixture
    def guarded(self, client):
        tokens = [{"name": name.lower(), "env": name, "role": name.lower()} for name in TOKENS]
        return client(settings={"tokens": tokens}, environ=TOKENS)

    @pytest.mark.parametrize(("token", "status"), [("READ", 403), ("OPERATE", 200)])
    async def test_a_trial_needs_more_than_reading(self, guarded, token, status):
        authorization = f"Bearer {TOKENS[token]}"
        assert (await tried(guarded, trial(), authorization=authorization)).status_code == status
        plain = await guarded.post(EVAL, json={"text": "hi"}, headers={"authorization": authorization})
        assert plain.status_code == 200


class TestEnvironment:
    """The configuration in force takes values from the environment."""

    @pytest.fixture
    def environ(self):
        return {"HOST": "secret-host", "PROMPT": "a secret prompt", "KEY": "secret-key-of-the-api", "OTHER": "4711"}

    @pytest.fixture
    def path(self, write_config):
        models = {"a": {"endpoints": [{"url": "http://${HOST}"}], "api_key_env": "KEY"}}
        decision = {"name": "all", "models": [{"model": "a"}], "system_prompt": {"text": "${PROMPT}"}}
        return write_config("a", models=models, routing={"default_model": "a", "decisions": [decision]})

    @pytest.fixture
    def http(self, client, environ):
        return client(environ=environ)

    async def test_the_configuration_in_force_may_be_tried(self, http, path):
        config = yaml.safe_load(path.read_text())
        config["models"] |= {"b": config["models"]["a"]}
        config["routing"]["decisions"][0]["models"] = [{"model": "b"}]
        told = (await tried(http, yaml.safe_dump(config))).json()
        assert (told["selected_model"], told["system_prompt"]) == ("b", "${PROMPT}")

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": "x-${OTHER}"},
            {"description": "${PROMPT}"},
            {"system_prompt": {"text": "Say ${PROMPT}"}},
            {"system_prompt": {"text": "${KEY}"}},
            {"models": [{"model": "${HOST}"}]},
        ],
    )
    async def test_a_value_may_not_stand_elsewhere(self, http, path, changes, environ):
        config = yaml.safe_load(path.read_text())
        config["routing"]["decisions"][0] |= changes
        answer = await tried(http, yaml.safe_dump(config))
        assert answer.status_code == 422
        assert not any(value in answer.text for value in environ.values())

    async def test_a_mistake_does_not_quote_a_value(self, http, path, environ):
        config = yaml.safe_load(path.read_text())
        config["models"]["a"]["endpoints"].append({"url": "https://elsewhere"})
        answer = await tried(http, yaml.safe_dump(config))
        assert "${HOST}" in answer.json()["error"]["message"]
        assert not any(value in answer.text for value in environ.values())
