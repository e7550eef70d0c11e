"""What is compared: Envoy alone, and ``waypost serve`` with its Envoy, without and with the classifier."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

import yaml
from load import NUMBER
from processes import child_named

from waypost.config.load import load
from waypost.serve.envoy.binary import envoy_binary
from waypost.serve.envoy.config import render
from waypost.serve.envoy.layout import Layout

__all__ = [
    "ENVOY",
    "KEYWORDS",
    "WAYPOST",
    "System",
    "chat_body",
    "free_ports",
    "listeners",
    "running_backend",
    "serving",
    "start_all",
]

ENVOY: Final = "Envoy alone"
KEYWORDS: Final = "+ waypost, keyword rules"
WAYPOST: Final = "+ waypost, domain classifier"

_START_SECONDS: Final = 90.0
_STOP_SECONDS: Final = 15.0
_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class System:
    """Something that answers chat requests on a port of this machine."""

    name: str
    port: int
    envoy: int
    """Process id."""
    waypost: int | None
    """Process id; None where there is none."""


def chat_body(*, stream: int = 0) -> bytes:
    """Make a conversation of 1 KB, whose last message is classified. ``stream``: ask for so many pieces as SSE."""
    turns = (
        ("system", "You are the assistant of a university. Be brief, be right, and say so when you do not know."),
        ("user", "Hello! I am preparing for an exam next week and would like to go through some exercises with you."),
        ("assistant", "Gladly. Send me the exercises one by one and tell me where you got stuck. " * 8),
        ("user", f"帮我解第 {NUMBER.decode()} 道微积分题:求 x^2·sin(x) 的导数"),
    )
    body = {
        "model": "MoM",
        "messages": [{"role": role, "content": content} for role, content in turns],
        "temperature": 0.7,
        "stream": stream > 0,
        "max_tokens": stream or 256,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@contextmanager
def start_all(run_dir: Path, interval: float, before: Path | None) -> Iterator[list[System]]:
    """Start the backend and everything before it; yields the systems when all of them answer.

    ``interval`` is in seconds, between two pieces of a stream. ``before`` is the ``src`` of another checkout, which is
    measured beside this one. Raises RuntimeError when something does not start.
    """
    ports = free_ports()
    backend = next(ports)
    with ExitStack() as stack:
        stack.enter_context(running_backend(run_dir, backend, interval))
        systems = [stack.enter_context(_envoy_alone(run_dir, ports, backend))]
        for name, rule in ((KEYWORDS, {"keyword": "calculus"}), (WAYPOST, {"domain": ["math", "physics"]})):
            systems.append(stack.enter_context(_waypost(name, rule, run_dir, ports, backend, os.environ)))
            if before:
                environ = {**os.environ, "PYTHONPATH": str(before)}
                systems.append(stack.enter_context(_waypost(f"{name}, before", rule, run_dir, ports, backend, environ)))
        yield systems


@contextmanager
def running_backend(run_dir: Path, port: int, interval: float) -> Iterator[None]:
    """Run the model server of ``backend.py``; ``interval`` is in seconds, between two pieces of a stream."""
    script = Path(__file__).with_name("backend.py")
    arguments: list[str | Path] = [sys.executable, script, f"--port={port}", f"--interval={interval}"]
    with _running(arguments, run_dir / "backend.log"):
        yield


@contextmanager
def serving(
    config: Mapping[str, Any], own: Path, *arguments: str, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``waypost serve`` with a configuration, in a new directory of its own; yields when it answers."""
    command: list[str | Path] = [Path(sys.executable).with_name("waypost"), "serve", "-c", _write_config(own, config)]
    with _running([*command, *arguments], own / "waypost.log", environ) as process:
        _await_answer(process, int(config["listeners"]["http"].rpartition(":")[2]), own / "waypost.log")
        yield process


def listeners(ports: Iterator[int]) -> dict[str, str]:
    """Free addresses for a configuration."""
    return {name: f"{_HOST}:{next(ports)}" for name in ("http", "extproc", "api", "metrics")}


@contextmanager
def _envoy_alone(run_dir: Path, ports: Iterator[int], backend: int) -> Iterator[System]:
    """Run the generated configuration without the processor, so that only waypost makes the difference."""
    own = run_dir / "alone"
    config = load(_write_config(own, _config(ports, backend, {"keyword": "calculus"})), {}).config
    standalone = render(config, [config.listeners.extproc], Layout(own)).standalone
    (listener,) = standalone["static_resources"]["listeners"]
    filters = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    filters[:] = [one for one in filters if "ext_proc" not in one["name"]]
    path = own / "envoy.json"
    path.write_text(json.dumps(standalone))
    command: list[str | Path] = [envoy_binary(), "--config-path", path, "--concurrency", "1", "--disable-hot-restart"]
    with _running([*command, "--log-level", "warning"], own / "envoy.log") as process:
        _await_answer(process, config.listeners.http.port, own / "envoy.log")
        yield System(ENVOY, config.listeners.http.port, process.pid, None)


@contextmanager
def _waypost(
    name: str, rule: Mapping[str, Any], run_dir: Path, ports: Iterator[int], backend: int, environ: Mapping[str, str]
) -> Iterator[System]:
    config = _config(ports, backend, rule)
    port = int(config["listeners"]["http"].rpartition(":")[2])
    with serving(config, run_dir / str(port), environ=environ) as process:
        yield System(name, port, child_named(process.pid, "envoy"), process.pid)


def _config(ports: Iterator[int], backend: int, rule: Mapping[str, Any]) -> dict[str, Any]:
    """One decision that does everything a decision can do: model, system prompt and reasoning are edited."""
    endpoints = [{"url": f"http://{_HOST}:{backend}"}]
    return {
        "version": 1,
        "listeners": listeners(ports),
        "models": {
            "solver": {"endpoints": endpoints, "served_as": "solver-7b-instruct", "reasoning_family": "qwen3"},
            "general": {"endpoints": endpoints, "served_as": "general-7b-instruct"},
        },
        "reasoning_families": {"qwen3": {"type": "chat_template_kwargs", "parameter": "enable_thinking"}},
        "routing": {
            "default_model": "general",
            "signals": {"keywords": [{"name": "calculus", "any": ["derivative", "integral", "微积分", "导数"]}]},
            "decisions": [
                {
                    "name": "math",
                    "when": dict(rule),
                    "models": [
                        {"model": "solver", "score": 0.9, "reasoning": True},
                        {"model": "general", "score": 0.4},
                    ],
                    "system_prompt": {"text": "You are a mathematician. Work step by step."},
                }
            ],
        },
    }


def _write_config(own: Path, config: Mapping[str, Any]) -> Path:
    own.mkdir()
    path = own / "waypost.yaml"
    path.write_text(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))
    return path


@contextmanager
def _running(
    command: Sequence[str | Path], log: Path, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environ)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_answer(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not serve:\n{log.read_text()}")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with contextlib.closing(HTTPConnection(_HOST, port, timeout=10)) as client:
        try:
            client.request("POST", "/v1/chat/completions", chat_body())
            return client.getresponse().status == 200
        except (OSError, HTTPException):
            return False


def free_ports() -> Iterator[int]:
    """Find ports that are free now, each once."""
    found: set[int] = set()
    while True:
        with socket.socket() as probe:
            probe.bind((_HOST, 0))
            port = int(probe.getsockname()[1])
        if port not in found:
            found.add(port)
            yield port
