"""``waypost serve`` as a real child process, as far as it can be seen from outside."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

Json = dict[str, Any]

WAYPOST = Path(sys.executable).with_name("waypost")
PATIENCE = 60
"""Seconds for anything that a busy machine may delay."""


@dataclass(repr=False)
class Serving:
    """One ``waypost serve``, made by :func:`serving`."""

    process: asyncio.subprocess.Process
    path: Path
    """The configuration file. Writing it is a reload."""
    config: Json
    http: httpx.AsyncClient
    """A client of the router."""
    said: list[str] = field(default_factory=list)
    """The lines of stderr."""
    _heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        return self.address("http")

    def address(self, name: str) -> str:
        return f"http://{self.config['listeners'][name]}"

    async def listen(self) -> None:
        """Collect stderr to its end."""
        assert self.process.stderr
        async for line in self.process.stderr:
            async with self._heard:
                self.said.append(line.decode().rstrip("\n"))
                self._heard.notify_all()
        async with self._heard:
            self.said.append("")  # the end
            self._heard.notify_all()

    async def says(self, text: str, times: int = 1) -> str:
        """Wait for the line that holds ``text``; the last of them when it is said several ``times``."""

        def found() -> list[str]:
            lines = [line for line in self.said if text in line]
            assert len(lines) >= times or self.said[-1:] != [""], f"ended without {text!r}: {self.said}"
            return lines

        try:
            async with asyncio.timeout(PATIENCE), self._heard:
                await self._heard.wait_for(lambda: len(found()) >= times)
                return found()[-1]
        except TimeoutError:
            raise AssertionError(f"never said {text!r}: {self.said[-20:]}") from None

    async def ends(self) -> int:
        """Wait for the exit code."""
        async with asyncio.timeout(PATIENCE):
            code = await self.process.wait()
            async with self._heard:
                await self._heard.wait_for(lambda: self.said[-1:] == [""])
        return code

    def write(self, config: Json | str) -> None:
        """Replace the configuration file in one step, as editors do."""
        new = self.path.with_suffix(".new")
        new.write_text(config if isinstance(config, str) else json.dumps(config, indent=1), "utf-8")
        new.replace(self.path)

    async def ready(self) -> tuple[int, Json]:
        answer = await self.http.get(f"{self.address('api')}/ready")
        return answer.status_code, answer.json()

    async def until_ready(self, **wanted: Any) -> None:
        """Wait until ``/ready`` says 200, and so much of ``wanted``."""
        async with asyncio.timeout(PATIENCE):
            while True:
                status, told = await self.ready()
                if status == 200 and wanted.items() <= told.items():
                    return
                await asyncio.sleep(0.05)

    async def metric(self, sample: str, **labels: str) -> float:
        """The sum of a sample over the labels that are not given; 0 while it does not exist."""
        text = (await self.http.get(f"{self.address('metrics')}/metrics")).text
        found = (s for family in text_string_to_metric_families(text) for s in family.samples)
        return sum(s.value for s in found if s.name == sample and labels.items() <= s.labels.items())

    async def until_metric(self, sample: str, value: float, **labels: str) -> None:
        """Wait for a sample's value: metrics are counted after the client has its answer."""
        async with asyncio.timeout(PATIENCE):
            while (await self.metric(sample, **labels)) != value:
                await asyncio.sleep(0.02)

    def children(self, name: str = "") -> list[int]:
        """The ids of the processes that it started; of those whose program has this name."""
        text = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in text.split() if name in ("", Path(f"/proc/{pid}/comm").read_text().strip())]

    def workers(self) -> dict[int, int]:
        """Process id by the worker's number."""
        started = {pid: _arguments(pid) for pid in self.children()}
        return {int(words[-2]): pid for pid, words in started.items() if "waypost.serve.workers.worker" in words}

    async def envoy(self, stat: str) -> int:
        """One of the numbers that Envoy tells its operator."""
        (envoy,) = set(self.children()) - set(self.workers().values())
        words = _arguments(envoy)
        socket = Path(words[words.index("--config-path") + 1]).with_name("admin.sock")
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://envoy") as admin:
            told = await admin.get("/stats", params={"filter": f"^{re.escape(stat)}$"})
        return int(told.text.rpartition(":")[2])

    async def until_envoy(self, stat: str, value: int) -> None:
        """Wait until Envoy has seen it, too."""
        async with asyncio.timeout(PATIENCE):
            while await self.envoy(stat) != value:
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def watched(*pids: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Yield something to wait for: the end of all these processes, whoever their parent is then."""
    loop = asyncio.get_running_loop()
    ends = {os.pidfd_open(pid): asyncio.Event() for pid in pids}
    for descriptor, ended in ends.items():
        loop.add_reader(descriptor, ended.set)

    async def gone() -> None:
        async with asyncio.timeout(PATIENCE):
            for ended in ends.values():
                await ended.wait()

    try:
        yield gone
    finally:
        for descriptor in ends:
            loop.remove_reader(descriptor)
            os.close(descriptor)


def _arguments(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


@contextlib.asynccontextmanager
async def serving(config: Json, *arguments: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Serving]:
    """Start a router; at the end, stop it if it has not ended."""
    with tempfile.TemporaryDirectory(prefix="waypost-test-") as directory:
        path = Path(directory) / "waypost.yaml"
        path.write_text(json.dumps(config, indent=1), "utf-8")
        process = await asyncio.create_subprocess_exec(
            *(WAYPOST, "serve", "--config", path, *arguments),
            stderr=asyncio.subprocess.PIPE,
            limit=2**20,
            env={**os.environ, "TMPDIR": directory, **(env or {})},  # what a killed one leaves
        )
        limits = httpx.Limits(max_connections=None)
        url = f"http://{config['listeners']['http']}"
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=limits, trust_env=False) as http:
            running = Serving(process, path, config, http)
            listening = asyncio.create_task(running.listen())
            try:
                yield running
            finally:
                await _stop(process)
                await listening


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)  # a test may have left requests that nobody answers
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 10)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
