"""What the guards did, in metrics."""

from prometheus_client import CollectorRegistry

from waypost.observe.guards import GuardMetrics
from waypost.types import Record, Verdict


def test_each_type_is_counted_once_with_what_was_done():
    registry = CollectorRegistry()
    metrics = GuardMetrics(registry)
    verdicts = (
        Verdict("jailbreak", "log", {"jailbreak": 0.9, "indirect": 0.8}),
        Verdict("pii", "block", {"PERSON": 0.9}),
        Verdict("pii", "allow", error="queue full", in_answer=True),
    )
    metrics.observe(Record("/v1/chat/completions", "MoM", 403, verdicts=verdicts), "MoM")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
    }
    total = {key: value for key, value in found.items() if key[0].endswith("_total")}
    assert total == {
        ("waypost_guard_verdicts_total", "jailbreak", "log", "jailbreak", "request", "MoM"): 1,
        ("waypost_guard_verdicts_total", "jailbreak", "log", "indirect", "request", "MoM"): 1,
        ("waypost_guard_verdicts_total", "pii", "block", "PERSON", "request", "MoM"): 1,
        ("waypost_guard_errors_total", "pii", "allow", "answer"): 1,
        ("llm_pii_violations_total", "MoM", "PERSON"): 1,
    }
