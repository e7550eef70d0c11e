"""No message shows what the environment holds, wherever in the file it was wanted."""

from __future__ import annotations

import pytest

from waypost.config.veil import Veil
from waypost.errors import ConfigError, Problem, SetupError

CANARY = "c4nary-Sekret"

POOL = "version: 1\nmodels: {a: {endpoints: [{url: http://h:1}]}, b: {endpoints: [{url: http://g:1}]}}\n"
ROUTING = POOL + "routing:\n  default_model: a\n"
DIRECT = "routing: {default_model: a}\nenvoy: {upstream: original_dst}"
SIGNALS = ROUTING + "  signals: {keywords: [%s]}\n"
DECISION = ROUTING + "  decisions: [{name: d, models: [{model: a}], when: %s}]\n"

SAID = {
    "a default model": POOL + "routing: {default_model: '${X}'}",
    "a model of a decision": ROUTING + "  decisions: [{name: d, models: [{model: '${X}'}]}]",
    "a virtual model": POOL + "routing: {default_model: '${X}', virtual_models: ['${X}']}",
    "a virtual model twice": ROUTING + "  virtual_models: ['${X}', MoM, '${X}']",
    "a decision twice": ROUTING
    + "  decisions: [{name: '${X}', models: [{model: a}]}, {name: '${X}', models: [{model: b}]}]",
    "who wins": ROUTING + "  decisions: [{name: '${X}', models: [{model: a}]}, {name: e, models: [{model: b}]}]",
    "a domain": DECISION % "{domain: '${X}'}",
    "an attack": DECISION % "{jailbreak: ['${X}']}",
    "personal data": DECISION % "{pii: '${X}'}",
    "a language": DECISION % "{language: '${X}'}",
    "a keyword": DECISION % "{keyword: '${X}'}",
    "what there is": SIGNALS % "{name: '${X}', any: [x]}"
    + "  decisions: [{name: d, models: [{model: a}], when: {keyword: zebra}}]",
    "a signal for nobody": SIGNALS % "{name: '${X}', any: [x]}",
    "a regular expression": SIGNALS % "{name: k, regex: true, any: ['(?P<${X}']}",
    "a guard's type": ROUTING + "guard: {pii: {types: ['${X}']}}",
    "a guard's attack": ROUTING + "guard: {jailbreak: {kinds: ['${X}']}}",
    "a guard's decision": ROUTING + "guard: {jailbreak: {action: route, decision: '${X}'}}",
    "a model may see": POOL.replace("[{url: http://g:1}]", "[{url: http://g:1}], pii: {allow: ['${X}']}")
    + "routing: {default_model: a}",
    "a reasoning family": POOL.replace("[{url: http://g:1}]", "[{url: http://g:1}], reasoning_family: '${X}'")
    + "routing: {default_model: a}",
    "a host": POOL.replace("http://g:1", "http://${X}:1") + DIRECT,
    "a path": POOL.replace("http://g:1", "http://g:1/${X}") + DIRECT,
    "a whole URL": POOL.replace("http://g:1", "${URL}") + DIRECT,
    "a part of a name": POOL + "routing: {default_model: 'pre${X}post'}",
    "the first of two": POOL.replace("[{url: http://g:1}]", "[{url: '${URL}'}, {url: http://g/y}]")
    + "routing: {default_model: a}",
    "twice the same": POOL.replace("[{url: http://g:1}]", "[{url: '${URL}'}, {url: '${URL}'}]")
    + "routing: {default_model: a}",
    "a listener": ROUTING + "listeners: {api: '${X}:8080'}",
    "two listeners": ROUTING + "listeners: {http: '${X}:8080', metrics: '${X}:8080'}",
    "a directory": ROUTING + "classifiers: {domain: {model: './${X}'}}",
    "a classifier": ROUTING + "classifiers: {pii: {model: '${X}'}}",
    "a mapping": ROUTING + "classifiers: {domain: {model: org/m, mapping: '/${X}'}}",
    "a choice": ROUTING + "envoy: {upstream: '${X}'}",
    "a number": ROUTING + "envoy: {concurrency: '${X}'}",
    "a duration": ROUTING + "envoy: {message_timeout: '${X}'}",
    "a name": ROUTING + "  decisions: [{name: '!${X}', models: [{model: a}]}]",
    "a bad URL": POOL.replace("http://g:1", "ftp://${X}") + "routing: {default_model: a}",
}  # fmt: skip


@pytest.mark.parametrize("text", SAID.values(), ids=SAID)
def test_no_message_shows_it(complaints, text):
    environ = {"X": CANARY, "URL": f"http://{CANARY}:8000/{CANARY}/x"}
    said = "\n".join(complaints(text, environ))
    assert said
    assert CANARY.casefold() not in said.casefold()


def test_the_variable_is_shown_instead(complaints):
    said = complaints(POOL + "routing: {default_model: '${X}'}", {"X": CANARY})
    assert said == ["f:3:26 routing.default_model: unknown model '${X}' (known: a, b)"]
    said = complaints(POOL + "routing: {default_model: 'pre${X}post'}", {"X": CANARY})
    assert said == ["f:3:26 routing.default_model: unknown model 'pre${X}post' (known: a, b)"]


def test_a_default_stands_in_the_file_and_may_be_read(complaints):
    said = complaints(POOL + "routing: {default_model: '${X:-zebra}'}", {})
    assert said == ["f:3:26 routing.default_model: unknown model 'zebra' (known: a, b)"]


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("sesame", "the word 'sesame' is known, sesames are not", "the word '${X}' is known, sesames are not"),
        ("Sesame", "sesame SESAME", "${X} ${X}"),
        ("a", "'a' is also a model", "'${X}' is also a model"),
        ("it's", 'unknown "it\'s"', 'unknown "${X}"'),
        ("a\\b\nc", "unknown 'a\\\\b\\nc'", "unknown '${X}'"),
        ("http://host.internal:8000/team", "host.internal:8000 has /team", "${X} has /${X}"),
        ("(.*)+", "no (.*)+ here", "no ${X} here"),
        ("straße", "STRASSE? no, Straße", "STRASSE? no, ${X}"),
        ("binary", "b\u0131nary", "${X}"),
        ("", "nothing ''", "nothing ''"),
    ],
)
def test_what_is_hidden(value, text, shown):
    assert Veil(["${X}"], {"X": value})(text) == shown


def test_without_variables_nothing_is_hidden():
    assert Veil([], {"X": "word"})("a word") == "a word"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (SetupError("no way to sesame"), "no way to ${X}"),
        (ConfigError([Problem("f", 1, 2, "a.b", "sesame is odd")]), "f:1:2 a.b: ${X} is odd"),
    ],
)
def test_errors_come_out_as_they_may_be_shown(error, shown):
    with pytest.raises(type(error)) as told, Veil(["${X}"], {"X": "sesame"}).over_errors():
        raise error from OSError("sesame")
    assert str(told.value) == shown
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__
