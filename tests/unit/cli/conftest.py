"""The command line in this process: ``result = waypost("check", "--demo")``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from waypost.cli import main


class Result(NamedTuple):
    code: int
    out: str
    err: str


CONFIG = """\
version: 1
models:
  small: {endpoints: [{url: http://127.0.0.1:8000}], served_as: org/Small-4B}
  large: {endpoints: [{url: http://127.0.0.1:8001}], reasoning_family: gpt-oss}
reasoning_families:
  gpt-oss: {type: reasoning_effort, parameter: reasoning_effort}
routing:
  default_model: small
  signals:
    keywords: [{name: proof, any: [prove]}]
  decisions:
    - name: reasoning
      priority: 10
      when: {keyword: proof}
      models: [{model: large, score: 0.9, reasoning: true, effort: high}, {model: small, score: 0.4}]
      system_prompt: {text: Think.}
"""


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no configuration of the user's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WAYPOST_CONFIG", raising=False)
    monkeypatch.delenv("WAYPOST_DEBUG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def config(nowhere: Path) -> Path:
    """A configuration in a file that is found only when it is named."""
    path = nowhere / "mine.yaml"
    path.write_text(CONFIG, "utf-8")
    return path


@pytest.fixture
def waypost(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run one command to its exit code."""

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["waypost", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    return run
