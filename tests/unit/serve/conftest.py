"""A configuration in a file, without an encoder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from waypost.config.load import Loaded, load


def _content(models: tuple[str, ...], sections: dict[str, Any]) -> str:
    decisions = [{"name": f"to-{name}", "when": {"keyword": name}, "models": [{"model": name}]} for name in models]
    keywords = [{"name": name, "any": [f"@{name}"]} for name in models]
    config = {
        "version": 1,
        "models": {name: {"endpoints": [{"url": "http://127.0.0.1:1"}]} for name in models},
        "routing": {"default_model": models[0], "signals": {"keywords": keywords}, "decisions": decisions},
    }
    return json.dumps(config | sections)


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """Write (again) a configuration whose models are chosen by ``@name``: ``write_config("a", "b", envoy={…})``."""

    def write(*models: str, **sections: Any) -> Path:
        path = tmp_path / "waypost.yaml"
        path.write_text(_content(models, sections), "utf-8")
        return path

    return write


@pytest.fixture
def load_config(write_config: Callable[..., Path]) -> Callable[..., Loaded]:
    """Write and load one."""
    return lambda *models, **sections: load(write_config(*models, **sections), {})
