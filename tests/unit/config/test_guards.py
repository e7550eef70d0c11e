"""The guards in the file: one row or more for each check, and what of it all is shown."""

import jsonschema
import pytest
import yaml

from waypost.config.json_schema import json_schema
from waypost.config.load import loads
from waypost.config.schema import GuardConfig, JailbreakGuard, PiiGuard
from waypost.config.show import show
from waypost.guard.pii.types import PII_TYPES
from waypost.guard.scope import every, in_force

FILE = """version: 1
models: {a: {endpoints: [{url: http://h:1}], pii: {allow: EMAIL_ADDRESS}}}
routing: {default_model: a, decisions: [{name: hard, models: [{model: a}]}]}
"""


def own(guard: str) -> str:
    """The file with a guard of the decision's own."""
    return FILE.replace("[{model: a}]", f"[{{model: a}}], guard: {guard}")


MISTAKES = {
    "an unknown action": (
        FILE + "guard: {jailbreak: {action: blok}}",
        "f:4:29 guard.jailbreak.action: expected block, route or log, found 'blok' (did you mean 'block'?)",
    ),
    "an unknown key": (
        FILE + "guard: {jailbrake: {}}",
        "f:4:9 guard: unknown key 'jailbrake' (did you mean 'jailbreak'?)",
    ),
    "an unknown kind": (
        FILE + "guard: {pii: {}, jailbreak: {kinds: [jailbrek]}}",
        "f:4:38 guard.jailbreak.kinds[0]: unknown attack 'jailbrek' (did you mean 'jailbreak'?)",
    ),
    "an unknown kind in answers": (
        FILE + "guard: {pii: {}, jailbreak: {answers: {kinds: harm}}}",
        "f:4:47 guard.jailbreak.answers.kinds: unknown attack 'harm' (did you mean 'harmful'?)",
    ),
    "no kind at all": (
        FILE + "guard: {pii: {}, jailbreak: {kinds: []}}",
        "f:4:37 guard.jailbreak.kinds: needs at least one entry",
    ),
    "an unknown type": (
        FILE + "guard: {pii: {types: [EMAIL_ADRESS]}}",
        "f:4:23 guard.pii.types[0]: unknown pii 'EMAIL_ADRESS' (did you mean 'EMAIL_ADDRESS'?)",
    ),
    "a threshold of an unknown type": (
        FILE + "guard: {pii: {thresholds: {PERSN: 0.5}}}",
        "f:4:28 guard.pii.thresholds.PERSN: unknown pii 'PERSN' (did you mean 'PERSON'?)",
    ),
    "a model that may see an unknown type": (
        FILE.replace("allow: EMAIL_ADDRESS", "allow: [EMAIL_ADDRES]") + "guard: {pii: {}}",
        "f:2:60 models.a.pii.allow[0]: unknown pii 'EMAIL_ADDRES' (did you mean 'EMAIL_ADDRESS'?)",
    ),
    "a status that is no status": (
        FILE + "guard: {pii: {status: 404}}",
        "f:4:23 guard.pii.status: expected 403 or 200, found 404 (did you mean '403'?)",
    ),
    "a route to nowhere": (
        FILE + "guard: {pii: {}, jailbreak: {action: route, decision: hrad}}",
        "f:4:55 guard.jailbreak.decision: unknown decision 'hrad' (did you mean 'hard'?)",
    ),
    "a route without a decision": (
        FILE + "guard: {pii: {}, jailbreak: {action: route}}",
        "f:4:38 guard.jailbreak.action: 'route' needs a decision beside it, which takes over",
    ),
    "a decision without a route": (
        FILE + "guard: {pii: {}, jailbreak: {decision: hard}}",
        "f:4:40 guard.jailbreak.decision: has no effect: only action 'route' leads to a decision",
    ),
    "an own route without a decision": (
        own("{pii: {}, jailbreak: {action: route}}"),
        "f:3:113 routing.decisions[0].guard.jailbreak.action: 'route' needs a decision beside it, which takes over",
    ),
    "keys of a guard that is off": (
        own("{pii: {}, jailbreak: {enabled: false, threshold: 0.3}}"),
        "f:3:121 routing.decisions[0].guard.jailbreak.threshold: has no effect beside 'enabled: false'",
    ),
    "a permission that nothing reads": (
        FILE + "guard: {pii: {action: block}}",
        "warning: f:2:46 models.a.pii: no effect: no guard.pii has the action restrict_models or mask",
    ),
    "a guard that Envoy may go around": (
        FILE + "envoy: {on_processor_failure: pass}\nguard: {pii: {}}",
        "warning: f:4:31 envoy.on_processor_failure: pass sends requests on unguarded while waypost is gone or late",
    ),
    "a restriction of nothing": (
        FILE.replace(", pii: {allow: EMAIL_ADDRESS}", "") + "guard: {pii: {}}",
        "warning: f:4:9 guard.pii: restrict_models has no effect: no model has pii.allow, so each may see everything",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(complaints, name):
    text, expected = MISTAKES[name]
    assert complaints(text) == [expected]


FULL = """
guard:
  jailbreak:
    {action: route, decision: hard, status: 200, threshold: 0.7, kinds: [jailbreak], on_error: allow, answers: {}}
  pii: {action: mask, types: [PERSON, API_KEY], thresholds: {PERSON: 0.8}, answers: {action: log, hold_back: 100}}
"""


def test_all_of_it_loads_and_is_shown_as_a_file_that_loads_again():
    loaded = loads(own("{jailbreak: {action: log}, pii: {enabled: false}}") + FULL, "f", {})
    assert loaded.warnings == ()
    assert loaded.config.guard.pii.types == ("PERSON", "API_KEY")
    again = loads(show(loaded), "f", {})
    assert again.config == loaded.config
    assert in_force(again.config.guard, again.config.routing.decisions[0].guard).jailbreak.decision == "hard"
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.validate(yaml.safe_load(show(loaded)))
    validator.validate(yaml.safe_load(show(loaded).replace("PERSON: 0.8", "PERSON: ${SURE}")))


def test_a_decision_that_a_guard_routes_to_needs_no_rule_of_its_own(complaints):
    decisions = "[{name: all, models: [{model: a}]}, {name: hard, priority: -1, models: [{model: a}]}]"
    file = FILE.replace("[{name: hard, models: [{model: a}]}]", decisions)
    assert "can never win" in complaints(file)[0]
    assert complaints(file + "guard: {pii: {}, jailbreak: {action: route, decision: hard}}") == []


def test_without_the_section_there_is_no_guard():
    config = loads(FILE, "f", {}).config
    assert [(guards.jailbreak, guards.pii) for guards in every(config)] == [(None, None)] * 2


def test_a_decision_overlays_the_keys_that_it_writes():
    text = own("{jailbreak: {threshold: 0.9}, pii: {action: block, types: PERSON}}")
    config = loads(text + "guard: {jailbreak: {on_error: allow}}", "f", {}).config
    _, here = every(config)
    assert here.jailbreak == JailbreakGuard(on_error="allow", threshold=0.9)
    assert here.pii == PiiGuard(action="block", types="PERSON")
    assert in_force(GuardConfig(), None).jailbreak is None


def test_the_types_that_count_by_default_are_known():
    assert set(PiiGuard().types) < set(PII_TYPES)
    assert "PERSON" in PiiGuard().types
    assert "DATE_TIME" not in PiiGuard().types
