import pytest

from waypost.config.load import loads
from waypost.config.restart import needs_restart

OLD = "version: 1\nmodels: {a: {endpoints: [{url: http://h:1}]}}\nrouting: {default_model: a}\n"


@pytest.mark.parametrize(
    "addition, expected",
    [
        ("", ()),
        ("listeners: {http: 127.0.0.1:9}", ("listeners.http",)),
        ("listeners: {api: 127.0.0.1:9, metrics: 127.0.0.1:8}", ("listeners.api", "listeners.metrics")),
        ("envoy: {enabled: false}", ("envoy.enabled",)),
        ("envoy: {request_body: full_duplex_streamed}", ("envoy.request_body",)),
        ("envoy: {concurrency: 2, max_request_body: 1MiB}", ("envoy.concurrency", "envoy.max_request_body")),
        ("envoy: {max_connections: 9, receive_timeout: 9s}", ("envoy.max_connections",)),
        ("encoder: {threads: 3}", ("encoder.threads",)),
        ("demo: {}", ("demo",)),
        ("envoy: {message_timeout: 9s, retries: 0, upstream: clusters, outlier_detection: null}", ()),
        ("classifiers: {domain: {threshold: 0.9}}", ()),
        ("observability: {logs: {level: debug}}", ()),
    ],
)
def test_what_changed_and_cannot_be_taken_over(addition, expected):
    old, new = loads(OLD, "f", {}).config, loads(OLD + addition, "f", {}).config
    assert needs_restart(old, new) == expected
    assert needs_restart(new, old) == expected


def test_models_and_routes_are_taken_over():
    old = loads(OLD, "f", {}).config
    new = loads(
        OLD.replace("{a:", "{b:").replace(": a}", ": b, decisions: [{name: d, models: [{model: b}]}]}"), "f", {}
    )
    assert needs_restart(old, new.config) == ()


def test_the_parts_of_the_demo_server():
    old = loads(OLD + "demo: {}", "f", {}).config
    new = loads(OLD + "demo: {max_tokens: 9}", "f", {}).config
    assert needs_restart(old, new) == ("demo.max_tokens",)
