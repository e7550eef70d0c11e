"""What stands in deploy/observability is right by the tools that read it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from waypost.observe.metrics import Metrics

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "observability"
PROMETHEUS = DEPLOY / "prometheus"

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed: apt-get install prometheus"
)


def alerts() -> list[dict]:
    return yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]


def exposed() -> set[str]:
    names = set()
    for collector in set(Metrics().registry._collector_to_names):
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(collector._type, ("",))
        names |= {collector._name + suffix for suffix in suffixes}
    return names


@needs_promtool
@pytest.mark.parametrize(
    "command",
    [("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")],
    ids=" ".join,
)
def test_promtool_agrees(command):
    done = subprocess.run(["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_made_to_fire():
    cases = yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text("utf-8"))["tests"]
    fired = [
        rule["alertname"] for case in cases for rule in case["alert_rule_test"] if any(rule.get("exp_alerts") or ())
    ]
    assert fired == [rule["alert"] for rule in alerts()]


def test_alerts_are_on_metrics_that_exist():
    for rule in alerts():
        for metric in re.findall(r"(?:llm|waypost)_\w+", rule["expr"]):
            assert metric in exposed(), f"{rule['alert']}: {metric}"


def test_an_alert_on_a_quantile_can_fire():
    """The quantile of a histogram is never above its last bucket."""
    for rule in alerts():
        if found := re.search(r"(llm_\w+)_bucket.* > ([\d.]+)", rule["expr"]):
            (collector,) = {each for each in Metrics().registry._collector_to_names if each._name == found[1]}
            assert max(bound for bound in collector._kwargs["buckets"]) > float(found[2])


def test_the_dashboard_is_what_its_panels_say():
    script = DEPLOY / "grafana" / "dashboard.py"
    code = f"import runpy, json; print(json.dumps(runpy.run_path({str(script)!r})['dashboard']()))"
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    written = json.loads((DEPLOY / "grafana" / "dashboards" / "waypost.json").read_text("utf-8"))
    assert json.loads(done.stdout) == written


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.yml")), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_file_is_yaml(path):
    assert yaml.safe_load(path.read_text("utf-8"))


def test_what_is_mounted_exists():
    services = yaml.safe_load((DEPLOY / "compose.yml").read_text("utf-8"))["services"]
    for service in services.values():
        for volume in service.get("volumes", ()):
            assert (DEPLOY / volume.partition(":")[0]).is_dir(), volume
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"])
