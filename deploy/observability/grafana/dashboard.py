"""Writes dashboards/waypost.json: ``python deploy/observability/grafana/dashboard.py``.

A panel of panels.yml is a title, a unit and its queries; Grafana's own format says the same in forty lines each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

__all__ = ["dashboard"]

_HERE: Final = Path(__file__).parent
_FILE: Final = _HERE / "dashboards" / "waypost.json"
_WIDTH: Final = 24
_PANEL_WIDTH: Final = 8
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}

Json = dict[str, Any]


def dashboard() -> Json:
    """Build what Grafana imports."""
    return {
        "uid": "waypost",
        "title": "waypost",
        "tags": ["waypost", "llm"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "templating": {"list": [_source_variable(), _instance_variable()]},
        "panels": list(_panels()),
    }


def _source_variable() -> Json:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _instance_variable() -> Json:
    query = "label_values(waypost_build_info, instance)"
    return {
        "name": "instance",
        "label": "Instance",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": "instance"},
        "definition": query,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panels() -> Iterator[Json]:
    number, y = 1, 0
    for row in yaml.safe_load((_HERE / "panels.yml").read_text("utf-8"))["rows"]:
        yield {"id": number, "type": "row", "title": row["title"], "gridPos": {"x": 0, "y": y, "w": _WIDTH, "h": 1}}
        number, y, x, height = number + 1, y + 1, 0, 0
        for panel in row["panels"]:
            width = panel.get("width", _PANEL_WIDTH)
            if x + width > _WIDTH:
                x, y = 0, y + height
            height = 4 if panel.get("kind") == "stat" else 8
            yield _panel(panel, number, {"x": x, "y": y, "w": width, "h": height})
            number, x = number + 1, x + width
        y += height


def _panel(panel: Json, number: int, place: Json) -> Json:
    targets = [
        {"refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": expr, "legendFormat": legend}
        for index, (legend, expr) in enumerate(panel["queries"].items())
    ]
    return {
        "id": number,
        "type": panel.get("kind", "timeseries"),
        "title": panel["title"],
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel["unit"]}, "overrides": []},
        "targets": targets,
    }


if __name__ == "__main__":
    _FILE.write_text(json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n", "utf-8")
