"""The product's face: what an operator reads when something in the file does not fit the schema."""

import pytest

POOL = "version: 1\nmodels: {a: {endpoints: [{url: http://h:1}]}}\n"
ROUTING = POOL + "routing:\n  default_model: a\n"
DECISIONS = ROUTING + "  decisions:\n"
ONE = DECISIONS + "  - name: x\n    models: [{model: a}]\n"


@pytest.mark.parametrize(
    "text, expected",
    [
        # keys
        (ROUTING + "lisners: {}", "f:5:1 unknown key 'lisners' (did you mean 'listeners'?)"),
        (
            ROUTING + "encoder: {gpu: 1}",
            "f:5:11 encoder: unknown key 'gpu' (known: model, profile, threads, queue, deadline, max_windows)",
        ),
        (
            ONE + "    when: {any: [{domian: math}]}",
            "f:8:19 routing.decisions[0].when.any[0]: unknown key 'domian' (did you mean 'domain'?)",
        ),
        (
            ONE + "    when: {not: {all: [{langauge: zh}]}}",
            "f:8:25 routing.decisions[0].when.not.all[0]: unknown key 'langauge' (did you mean 'language'?)",
        ),
        (
            ONE + "    weight: 5",
            (
                "f:8:5 routing.decisions[0]: unknown key 'weight' "
                "(known: name, description, priority, when, models, system_prompt, guard, cache, tools)"
            ),
        ),
        (
            "version: 1\nmodels: {gpt-4.1: {endpoint: 1, endpoints: [{url: http://h}]}}\nrouting: {default_model: a}",
            "f:2:20 models[\"gpt-4.1\"]: unknown key 'endpoint' (did you mean 'endpoints'?)",
        ),
        (POOL + "routing: {}", "f:3:1 routing: missing key 'default_model'"),
        (POOL, "f:1:1 missing key 'routing'"),
        (DECISIONS + "  - name: x", "f:6:5 routing.decisions[0]: missing key 'models'"),
        # kinds of values
        (POOL + "routing: [a]", "f:3:10 routing: expected a mapping, found a list"),
        (POOL + "routing:", "f:3:9 routing: expected a mapping, found nothing"),
        (
            POOL + "routing: {default_model: 7}",
            "f:3:26 routing.default_model: expected text, found 7 (put it in quotes)",
        ),
        (ROUTING + "  decisions: general", "f:5:14 routing.decisions: expected a list, found 'general'"),
        (ROUTING + "  decisions: {x: {}}", "f:5:14 routing.decisions: expected a list, found a mapping"),
        (ROUTING + "envoy: {enabled: no}", "f:5:18 envoy.enabled: expected true or false, found 'no' (write false)"),
        (ROUTING + "envoy: {enabled: 2}", "f:5:18 envoy.enabled: expected true or false, found 2"),
        (
            ROUTING + "encoder: {threads: '2'}",
            "f:5:20 encoder.threads: expected a whole number, found '2' (remove the quotes)",
        ),
        (ROUTING + "encoder: {threads: 1.5}", "f:5:20 encoder.threads: expected a whole number, found 1.5"),
        (ROUTING + "encoder: {threads: true}", "f:5:20 encoder.threads: expected a whole number, found true"),
        (
            ROUTING + "classifiers: {domain: {threshold: high}}",
            "f:5:35 classifiers.domain.threshold: expected a number, found 'high'",
        ),
        # ranges, choices, forms
        (ROUTING + "encoder: {threads: 0}", "f:5:20 encoder.threads: must be between 1 and 64, found 0"),
        (ROUTING + "encoder: {queue: -1}", "f:5:18 encoder.queue: must be at least 1, found -1"),
        (
            ROUTING + "classifiers: {domain: {threshold: 1.5}}",
            "f:5:35 classifiers.domain.threshold: must be between 0 and 1, found 1.5",
        ),
        (
            ROUTING + "  explicit_models: rout",
            "f:5:20 routing.explicit_models: expected pass or route, found 'rout' (did you mean 'route'?)",
        ),
        (
            ROUTING + "observability: {logs: {level: loud}}",
            "f:5:31 observability.logs.level: expected debug, info, warning or error, found 'loud'",
        ),
        (ROUTING.replace("1", "2", 1), "f:1:10 version: expected 1, found 2"),
        (
            ROUTING + "envoy: {message_timeout: 5}",
            "f:5:26 envoy.message_timeout: expected a duration such as 250ms, 5s, 10m or 1h, found 5",
        ),
        (ROUTING + "envoy: {message_timeout: 0s}", "f:5:26 envoy.message_timeout: must be longer than 0s, found '0s'"),
        (ROUTING + "envoy: {drain_timeout: 400d}", "f:5:24 envoy.drain_timeout: must be at most 366d, found '400d'"),
        (
            ROUTING + "envoy: {max_request_body: 50 megs}",
            "f:5:27 envoy.max_request_body: expected a size such as 64KiB, 10MB or 50MiB, found '50 megs'",
        ),
        (
            ROUTING + "envoy: {max_request_body: 2GiB}",
            "f:5:27 envoy.max_request_body: must be between 1KiB and 1GiB, found '2GiB'",
        ),
        (
            ROUTING + "listeners: {http: 8801}",
            "f:5:19 listeners.http: expected host:port, such as 127.0.0.1:8801, found 8801",
        ),
        (
            ROUTING + "listeners: {http: 127.0.0.1:88010}",
            "f:5:19 listeners.http: expected host:port, such as 127.0.0.1:8801, found '127.0.0.1:88010'",
        ),
        (
            DECISIONS + "  - name: two words\n    models: [{model: a}]",
            (
                "f:6:11 routing.decisions[0].name: "
                "expected a name (letters, digits and . _ : / -, at most 128), found 'two words'"
            ),
        ),
        (
            "version: 1\nmodels: {数学: {endpoints: [{url: http://h}]}}\nrouting: {default_model: 数学}",
            "f:2:10 models.数学: expected a name (letters, digits and . _ : / -, at most 128), found '数学'",
        ),
        (
            ONE + "    system_prompt: {text: ''}",
            "f:8:27 routing.decisions[0].system_prompt.text: must not be empty",
        ),
        (DECISIONS + "  - {name: x, models: []}", "f:6:23 routing.decisions[0].models: needs at least one entry"),
        # rules and signals
        (
            ONE + "    when: {}",
            (
                "f:8:11 routing.decisions[0].when: "
                "a rule needs one key: all, any, not, keyword, language, length, domain, jailbreak or pii"
            ),
        ),
        (
            ONE + "    when: {domain: math, language: zh}",
            (
                "f:8:11 routing.decisions[0].when: "
                "a rule has one key, but this has language and domain; join them with all or any"
            ),
        ),
        (
            ONE + "    when: {keyword: 5}",
            "f:8:21 routing.decisions[0].when.keyword: expected a name or a list of names, found 5",
        ),
        (
            ONE + "    when: {domain: [math, 5]}",
            "f:8:27 routing.decisions[0].when.domain[1]: expected text, found 5 (put it in quotes)",
        ),
        (
            ROUTING + "  signals: {keywords: [{name: k}]}",
            "f:5:24 routing.signals.keywords[0]: needs terms in any, all or none",
        ),
        # endpoints
        (
            POOL.replace("http://h:1", "h:8000") + "routing: {default_model: a}",
            (
                "f:2:32 models.a.endpoints[0].url: "
                "expected a URL such as http://host:8000 or https://host/path, found 'h:8000'"
            ),
        ),
        (
            POOL.replace("http://h:1", "http://h:99999") + "routing: {default_model: a}",
            (
                "f:2:32 models.a.endpoints[0].url: "
                "expected a URL such as http://host:8000 or https://host/path, found 'http://h:99999'"
            ),
        ),
    ],
)
def test_message(complaints, text: str, expected: str):
    assert complaints(text) == [expected]


def test_all_mistakes_at_once_in_the_order_of_the_file(complaints):
    text = """
        version: 1
        models:
          a: {endpoints: [], served_as: 5}
          b: {}
        routing:
          default_model: a
          decisions:
            - name: x
              models: [{modell: a, score: -1}]
        """
    assert complaints(text) == [
        "f:3:18 models.a.endpoints: needs at least one entry",
        "f:3:33 models.a.served_as: expected text, found 5 (put it in quotes)",
        "f:4:3 models.b: missing key 'endpoints'",
        "f:9:16 routing.decisions[0].models[0]: missing key 'model'",
        "f:9:17 routing.decisions[0].models[0]: unknown key 'modell' (did you mean 'model'?)",
        "f:9:35 routing.decisions[0].models[0].score: must be at least 0, found -1",
    ]


@pytest.mark.parametrize(
    "model",
    [
        "{endpoints: [{url: http://h}], api_key_env: sk-secret-key}",
        "{endpoints: [{url: 'http://user:sk-secret-key@h'}]}",
        "{endpoints: [{url: 'htp://user:sk-secret-key@h'}]}",
        "{endpoints: [{url: '${URL}'}]}",
    ],
)
def test_no_message_repeats_a_secret(complaints, model: str):
    text = f"version: 1\nmodels: {{a: {model}}}\nrouting: {{default_model: a}}"
    lines = complaints(text, {"URL": "sk-secret-key"})
    assert len(lines) == 1
    assert "sk-secret-key" not in lines[0]


def test_a_wrong_value_from_the_environment_is_named_by_its_variable(complaints):
    assert complaints(ROUTING + "encoder: {threads: '${THREADS}'}", {"THREADS": "many"}) == [
        "f:5:20 encoder.threads: expected a whole number, found the value of '${THREADS}'"
    ]
