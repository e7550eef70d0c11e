"""Metrics of workers, told by another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from waypost.observe.merged import forget_gauges
from waypost.observe.metrics import Metrics
from waypost.types import Record

WORKER = """
import sys
from pathlib import Path
from waypost.observe.merged import count_in_files

count_in_files(int(sys.argv[1]), Path(sys.argv[2]))
from waypost.observe.metrics import Metrics
from waypost.types import Record

metrics = Metrics()
for _ in range(int(sys.argv[3])):
    metrics.begin()
    metrics.begin()
    metrics.observe(Record("/v1/chat/completions", "MoM", 200, router_seconds=0.003))
metrics.last_reload.set(0)
"""


def work(place: int, directory: Path, requests: int) -> None:
    subprocess.run([sys.executable, "-c", WORKER, *map(str, (place, directory, requests))], check=True)


def told(metrics: Metrics) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> Path:
    """Worker 0 had 3 requests and a successor with 2; worker 1 had 4."""
    directory = tmp_path_factory.mktemp("counts")
    for place, requests in ((0, 3), (1, 4), (0, 2)):
        work(place, directory, requests)
    return directory


@pytest.fixture
def metrics(directory) -> Metrics:
    metrics = Metrics()
    metrics.observe(Record("/v1/chat/completions", "MoM", 200, router_seconds=0.003))
    metrics.active.set(0)
    metrics.merge(directory)
    return metrics


def test_counters_and_histograms_are_added(metrics):
    found = told(metrics)
    assert found["waypost_responses_total"] == [({"status": "200"}, 10)]
    assert found["llm_model_routing_latency_seconds_count"] == [({}, 10)]
    assert found["llm_model_routing_latency_seconds_sum"][0][1] == pytest.approx(0.03)
    buckets = [(labels["le"], value) for labels, value in found["llm_model_routing_latency_seconds_bucket"]]
    assert buckets[-1] == ("+Inf", 10)
    assert [value for _, value in buckets] == sorted(value for _, value in buckets)
    assert len(dict(buckets)) == len(buckets)


def test_only_marked_gauges_are_added_and_the_others_are_ones_own(metrics):
    found = told(metrics)
    assert found["waypost_requests_active"] == [({}, 9)]
    assert found["waypost_config_last_reload_successful"] == [({}, 1)]
    assert [value for _, value in found["waypost_build_info"]] == [1]


def test_the_queues_of_all_encoders_are_added(metrics):
    metrics.watch_encoder(lambda: 3, "workers'")
    for own in (1, 2):  # with a reload it is watched again
        metrics.watch_encoder(lambda own=own: own)
    assert told(metrics)["waypost_encoder_pending"] == [({}, 5)]


def test_every_family_stands_once(metrics):
    lines = metrics.render().decode().splitlines()
    types = [line for line in lines if line.startswith("# TYPE")]
    assert len(types) == len(set(types))


def test_what_a_dead_worker_had_under_way_is_forgotten_and_what_it_counted_is_not(directory, metrics):
    work(2, directory, 5)
    assert told(metrics)["waypost_requests_active"] == [({}, 14)]
    forget_gauges(2, directory)
    found = told(metrics)
    assert found["waypost_requests_active"] == [({}, 9)]
    assert found["waypost_responses_total"] == [({"status": "200"}, 15)]
