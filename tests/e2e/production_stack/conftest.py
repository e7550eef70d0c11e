"""The vLLM Production Stack on one machine: vllm-router in front of two llm-katan servers, waypost before them.

All of it as child processes, so that one can be killed as a node takes its pods along. waypost reads the very file
that ``deploy/kubernetes/ai-gateway`` gives it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

Json = dict[str, Any]

BIN = Path(sys.executable).parent
DEPLOY = Path(__file__).resolve().parents[3] / "deploy/kubernetes"
PATIENCE = 60  # seconds for anything that a busy machine may delay
MODEL = "Qwen/Qwen3-8B"

KEEPS_REQUESTS = ("--retry-max-retries", "4", "--cb-failure-threshold", "2")
"""What the tutorial says. A session sticks to its dead replica until the breaker is open: there must be more attempts
than failures that open it.
"""


def program(name: str) -> Path:
    path = BIN / name
    if not path.exists():
        pytest.skip(f"{name} is not installed: it is a development dependency for Linux on x86_64")
    return path


@contextlib.contextmanager
def running(log: Path, *command: object) -> Iterator[subprocess.Popen[bytes]]:
    """A child process, killed at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"TMPDIR": str(log.parent)},
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until ``url`` answers with 200."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    pytest.fail(f"{url} does not answer with 200:\n{log.read_text('utf-8', 'replace')[-2000:]}")


@dataclass(frozen=True)
class Stack:
    """The request router and its replicas, by port."""

    url: str
    replicas: dict[int, subprocess.Popen[bytes]]

    def kill(self, port: int) -> None:
        self.replicas[port].kill()
        self.replicas[port].wait()


def replica(answer: str) -> int:
    """The port of the replica that answered: llm-katan says it in its text."""
    found = re.search(r"host=\S+?:(\d+) ", answer)
    assert found, answer
    return int(found[1])


@pytest.fixture(scope="module")
def router_port(free_port: Callable[[], int]) -> int:
    """Where the request router listens, one after the other."""
    return free_port()


@pytest.fixture(scope="module")
def stack(
    request: pytest.FixtureRequest,
    router_port: int,
    free_port: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Two replicas behind a request router whose policy is the parameter, or round robin."""
    policy, directory = getattr(request, "param", "round_robin"), tmp_path_factory.mktemp("stack")
    engine = (
        *(program("llm-katan"), "-m", MODEL, "-b", "echo", "-h", "127.0.0.1", "--max-concurrent", 64),
        *("--latency-ms", 20, "--itl-ms", 20, "--disable-dashboard", "--stats-file", "", "--log-level", "warning"),
    )
    ports = (free_port(), free_port())
    router = (
        *(program("vllm-router"), "--host", "127.0.0.1", "--port", router_port, "--policy", policy),
        *("--worker-urls", *(f"http://127.0.0.1:{port}" for port in ports), "--worker-startup-check-interval", 1),
        *("--prometheus-port", free_port(), *KEEPS_REQUESTS),
    )
    with contextlib.ExitStack() as exits:
        logs = {port: directory / f"replica-{port}.log" for port in ports}
        replicas = {port: exits.enter_context(running(log, *engine, "-p", port)) for port, log in logs.items()}
        for port, process in replicas.items():
            until(f"http://127.0.0.1:{port}/health", process, logs[port])
        log = directory / "router.log"
        made = Stack(f"http://127.0.0.1:{router_port}", replicas)
        until(f"{made.url}/health", exits.enter_context(running(log, *router)), log)
        yield made


@dataclass(frozen=True)
class Waypost:
    """A running waypost."""

    config: Json

    def address(self, listener: str) -> str:
        return f"http://{self.config['listeners'][listener]}"


@pytest.fixture(scope="module")
def start_waypost(
    router_port: int, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[bool], Waypost]]:
    """Start waypost with the manifests' configuration before the request router: ``start_waypost(own_envoy)``."""
    with contextlib.ExitStack() as exits:

        def start(own_envoy: bool) -> Waypost:
            config = yaml.safe_load((DEPLOY / "ai-gateway/waypost/waypost.yaml").read_text("utf-8"))
            names = ("http", "extproc", "api", "metrics")
            config["listeners"] = {name: f"127.0.0.1:{free_port()}" for name in names}
            # The tests' machine may be busy.
            config |= {"encoder": {"deadline": "20s"}, "envoy": config["envoy"] | {"message_timeout": "60s"}}
            config["envoy"]["enabled"] = own_envoy
            config["models"]["qwen3-8b"]["endpoints"] = [{"url": f"http://127.0.0.1:{router_port}"}]
            path = tmp_path_factory.mktemp("w") / "waypost.yaml"
            path.write_text(json.dumps(config), "utf-8")
            log = path.with_suffix(".log")
            process = exits.enter_context(running(log, BIN / "waypost", "serve", "--config", path))
            until(f"http://{config['listeners']['api']}/ready", process, log)
            return Waypost(config)

        yield start


@pytest.fixture(scope="session")
def answered_by() -> Callable[[str], int]:
    """Tell which replica wrote an answer."""
    return replica


@pytest.fixture(scope="session")
def wait_for() -> Callable[[str, subprocess.Popen[bytes], Path], None]:
    """Wait until a URL answers."""
    return until


@pytest.fixture(scope="session")
def spawn() -> Callable[..., contextlib.AbstractContextManager[subprocess.Popen[bytes]]]:
    """Run a program that ends with the context."""
    return running


@pytest.fixture(scope="session")
def manifest() -> Callable[[str], list[Json]]:
    """The documents of one of the gateways' files: ``manifest("istio/extproc.yaml")``."""
    return lambda name: list(yaml.safe_load_all((DEPLOY / name).read_text("utf-8")))
