"""Writes overlays/production/prometheusrule.yaml: ``python deploy/kubernetes/prometheusrule.py``.

The alerts are those of deploy/observability/prometheus/alerts.yml, which kustomize cannot put into a resource.
"""

from __future__ import annotations

from pathlib import Path

DIRECTORY = Path(__file__).resolve().parent
ALERTS = DIRECTORY.parent / "observability" / "prometheus" / "alerts.yml"
RULE = DIRECTORY / "overlays" / "production" / "prometheusrule.yaml"

HEAD = """\
# Written by deploy/kubernetes/prometheusrule.py from deploy/observability/prometheus/alerts.yml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: waypost
spec:
"""


def rule() -> str:
    """The alerts as a resource of the Prometheus operator."""
    _, groups = ALERTS.read_text("utf-8").split("groups:\n")
    lines = f"groups:\n{groups}".splitlines(keepends=True)
    return HEAD + "".join(f"  {line}" if line.strip() else line for line in lines)


if __name__ == "__main__":
    RULE.write_text(rule(), "utf-8")
