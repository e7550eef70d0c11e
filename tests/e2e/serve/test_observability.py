"""What an operator sees of a real router under a real load: a real Prometheus, an OTLP receiver, and replay."""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
import yaml

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy" / "observability"
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "waypost.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
CHAT = "/v1/chat/completions"
PATIENCE = 60

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="prometheus and promtool are not installed: apt-get install prometheus",
)


TOOLS = [
    {"type": "function", "function": {"name": name, "description": description}}
    for name, description in (("forecast", "Tells the weather of a city"), ("pay", "Pays a bill by bank transfer"))
]
REMEMBERING = {"cache": {"similar": False}, "tools": {"mode": "filter", "top_k": 1}}


def observed(config: dict[str, Any], **observability: Any) -> dict[str, Any]:
    """Give the models prices and one of them a way to reason."""
    for name, price in (("cheap", 0.1), ("large", 3.0)):
        if name in config["models"]:
            config["models"][name]["pricing"] = {"prompt_per_1m": price, "completion_per_1m": 2 * price}
    config["models"]["large"]["reasoning_family"] = "qwen3"
    config["reasoning_families"] = {"qwen3": {"type": "chat_template_kwargs", "parameter": "enable_thinking"}}
    for decision in config["routing"]["decisions"]:
        if decision["name"] == "to-large":
            decision["models"][0] |= {"reasoning": True, "effort": "high"}
    return {**config, "observability": observability}


def ask(text: str, model: str = "MoM", **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **fields}


LOAD = [
    ask("@cheap hello"),
    ask("@large think", stream=True, max_tokens=20, stream_options={"include_usage": True}),
    ask("@down please"),
    ask("nothing in particular"),
    ask("hello", model="large"),
    ask("hello", model="gpt-unheard-of"),
    ask("@cheap will it rain in Paris?", tools=TOOLS),
]


@contextlib.asynccontextmanager
async def child(*command: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that ends with the test."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@dataclass
class Prometheus:
    """The part of its HTTP API that Grafana uses."""

    http: httpx.AsyncClient

    async def values(self, expression: str) -> list[float]:
        answer = await self.http.get("/api/v1/query", params={"query": expression})
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        return [float(row["value"][1]) for row in answer.json()["data"]["result"]]


async def prometheus_up(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/-/ready")).is_success:
                    return
            await asyncio.sleep(0.05)


@pytest_asyncio.fixture(loop_scope="session")
async def scraped(serve: Any, simple: Any, free_port: Callable[[], int], tmp_path: Path) -> AsyncIterator[Any]:
    """A router with its load, and the deployed Prometheus configuration pointed at it."""
    model, unused, port = free_port(), free_port(), free_port()
    url = f"http://127.0.0.1:{model}"
    pool = {"cheap": [url], "large": [url], "down": [f"http://127.0.0.1:{unused}"]}
    config = observed(simple(pool, **REMEMBERING))
    scrape = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    scrape["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
    scrape["scrape_configs"][0]["static_configs"][0]["targets"] = [config["listeners"]["metrics"]]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(scrape), "utf-8")
    shutil.copy(DEPLOY / "prometheus" / "alerts.yml", tmp_path)
    flags = [f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb"]
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(
            child(sys.executable, ROOT / "bench" / "backend.py", "--port", model, "--interval", 0.001)
        )
        await stack.enter_async_context(child("prometheus", *flags, f"--web.listen-address=127.0.0.1:{port}"))
        router = await serve(config)
        http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)
        await prometheus_up(await stack.enter_async_context(http))
        yield router, Prometheus(http)


@needs_prometheus
async def test_every_panel_shows_data_after_a_short_load(scraped):
    router, prometheus = scraped
    queries = {f"{panel['title']}: {at['expr']}": grafana(at["expr"]) for panel in PANELS for at in panel["targets"]}
    assert len(queries) > 30
    until = asyncio.get_running_loop().time() + PATIENCE
    while queries and asyncio.get_running_loop().time() < until:
        for body in LOAD:
            await router.http.post(CHAT, json=body)
        # Only whose request it is known of is kept.
        known = await router.http.post(CHAT, json=ask("@cheap again"), headers={"authorization": "Bearer ann"})
        assert "x-vsr-cache-hit" in known.headers
        await router.http.post(CHAT, json=ask("@down again"), headers={"authorization": "Bearer ann"})
        for name, expression in tuple(queries.items()):
            if any(value == value for value in await prometheus.values(expression)):  # NaN is no data
                del queries[name]
    assert not queries
    exposed = (await router.http.get(f"{router.address('metrics')}/metrics")).text
    names = set(re.findall(r"^# TYPE (\w+)", exposed, re.MULTILINE))
    for panel in PANELS:
        for target in panel["targets"]:
            for metric in re.findall(r"(?:llm|vsr|waypost)_\w+(?=\{)", target["expr"]):
                assert {metric, metric.removesuffix("_bucket").removesuffix("_count")} & names, metric
    checked = subprocess.run(["promtool", "check", "metrics"], input=exposed, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert 'llm_cache_write_skipped_total{reason="status"}' in exposed
    assert 'waypost_model_endpoint_healthy{endpoint="http://' in exposed
    assert "unheard" not in exposed
    assert "forecast" not in exposed


def grafana(expression: str) -> str:
    """Put in what Grafana would."""
    for variable, value in (("$instance", ".*"), ("$__rate_interval", "10s"), ("$__range", "5m")):
        expression = expression.replace(variable, value)
    assert "$" not in expression.replace('"$"', "")
    return expression


class Collector:
    """An OTLP receiver over gRPC that keeps the spans it is sent."""

    def __init__(self) -> None:
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

        self.spans: queue.Queue[Any] = queue.Queue()
        self._answer = service.ExportTraceServiceResponse()
        self.server = grpc.server(futures.ThreadPoolExecutor(1))
        export = grpc.unary_unary_rpc_method_handler(
            self._export,
            request_deserializer=service.ExportTraceServiceRequest.FromString,
            response_serializer=service.ExportTraceServiceResponse.SerializeToString,
        )
        name = "opentelemetry.proto.collector.trace.v1.TraceService"
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": export}),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def _export(self, request: Any, _: Any) -> Any:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.put(span)
        return self._answer

    async def first(self, count: int) -> list[Any]:
        return [await asyncio.to_thread(self.spans.get, timeout=PATIENCE) for _ in range(count)]


@pytest.fixture
def collector():
    pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="the extra otel is not installed")
    found = Collector()
    yield found
    found.server.stop(None).wait()


TRACE_ID, CLIENT_SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def test_a_trace_goes_from_the_client_through_waypost_to_the_backend(
    serve, simple, backend, collector, tmp_path, waypost_command
):
    large = await backend(name="large")
    records = tmp_path / "records.jsonl"
    config = observed(
        simple({"large": [large.url]}),
        tracing={"endpoint": f"http://127.0.0.1:{collector.port}"},
        records={"path": str(records)},
        logs={"format": "json", "requests": "all"},
    )
    router = await serve(config)
    headers = {"traceparent": f"00-{TRACE_ID}-{CLIENT_SPAN}-01", "tracestate": "vendor=1"}
    secret = "@large the launch code is 0000"
    assert (await router.http.post(CHAT, json=ask(secret), headers=headers)).status_code == 200

    (received,) = large.requests
    version, trace_id, upstream_id, flags = received.header("traceparent").split("-")
    assert (version, trace_id, flags) == ("00", TRACE_ID, "01")
    assert received.header("tracestate") == "vendor=1"

    spans = {span.name.removeprefix("semantic_router."): span for span in await collector.first(5)}
    assert spans.keys() == {
        "request.received", "signal.keyword", "routing.decision", "backend.selection", "upstream.request",
    }  # fmt: skip
    root = spans["request.received"]
    assert root.parent_span_id.hex() == CLIENT_SPAN
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE_ID}
    assert spans["upstream.request"].span_id.hex() == upstream_id
    for name, span in spans.items():
        assert name == "request.received" or span.parent_span_id == root.span_id
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= root.end_time_unix_nano
    assert "launch code" not in str(spans)

    line = json.loads(await router.says('"event": "llm_usage"'))
    assert (line["trace_id"], line["model"], line["total_tokens"]) == (TRACE_ID, "large", 10)
    assert "launch code" not in "\n".join(router.said)

    router.process.terminate()
    await router.ends()
    described, record = map(json.loads, records.read_text("utf-8").splitlines())
    assert (record["trace"], record["model"], record["of"]) == (TRACE_ID, "large", described["config"])
    assert "launch code" not in records.read_text("utf-8")
    replayed = subprocess.run(
        [waypost_command, "replay", records, "-c", router.path, "--expect", "changed==0", "--expect", "unknown==0"],
        capture_output=True,
        text=True,
    )
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert replayed.stdout.startswith("1 requests, 1 of them can be replayed, 0 would change\n")


async def test_cache_and_tools_have_spans_headers_and_lines(serve, simple, backend, collector):
    large = await backend(name="large")
    config = observed(
        simple({"large": [large.url]}, **REMEMBERING),
        tracing={"endpoint": f"http://127.0.0.1:{collector.port}"},
        logs={"format": "json", "requests": "all"},
    )
    router = await serve(config)
    asked = ask("@large will it rain in the secret garden?", tools=TOOLS)
    headers = {"authorization": "Bearer ann", "x-vsr-debug": "true"}
    answers = [await router.http.post(CHAT, json=asked, headers=headers) for _ in range(2)]
    await router.says('"event": "cache_hit"')

    (received,) = large.requests
    assert [tool["function"]["name"] for tool in received.json["tools"]] == ["forecast"]
    told = answers[0].headers
    assert (told["x-vsr-tools-strategy"], told["x-vsr-tools-offered"]) == ("filter", "forecast")
    assert 0.2 <= float(told["x-vsr-tools-confidence"]) <= 1
    assert float(told["x-vsr-tools-latency-ms"]) > 0
    assert [answer.headers["x-vsr-cache-hit"] for answer in answers] == ["false", "true"]

    spans = await collector.first(7 + 4)
    named = [span.name.removeprefix("semantic_router.") for span in spans]
    assert named.count("cache.lookup") == 2
    assert named.count("tools.selection") == named.count("upstream.request") == 1
    roots = {span.trace_id: span for span in spans if span.name.endswith("request.received")}
    for span in spans:
        root = roots[span.trace_id]
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= root.end_time_unix_nano
    lookup, choice = (spans[named.index(name)] for name in ("cache.lookup", "tools.selection"))
    assert 0 < lookup.start_time_unix_nano < lookup.end_time_unix_nano <= choice.start_time_unix_nano
    assert "garden" not in str(spans)
    assert "forecast" not in str(spans)
    assert "garden" not in "\n".join(router.said)


CANARY = "c4nary-Sekret"


async def test_no_message_tells_what_the_environment_holds(
    serve, simple, backend, tmp_path, waypost_command, monkeypatch
):
    monkeypatch.setenv("CANARY", CANARY)
    large = await backend(name="large")
    config = simple({"large": [large.url]})
    routing = {**config["routing"], "default_model": "${CANARY}"}
    wrong = {**config, "routing": routing, "guard": {"pii": {"types": ["${CANARY}"]}}}
    lost = {**config, "tools": {"database": "/nowhere/${CANARY}.json"}}
    router = await serve(config)
    api = router.address("api")
    said = []

    path = tmp_path / "wrong.yaml"
    path.write_text(json.dumps(wrong), "utf-8")
    for flags in ((), ("--json",)):
        checked = subprocess.run([waypost_command, "check", "-c", path, *flags], capture_output=True, text=True)
        assert checked.returncode == 1
        said.append(checked.stdout + checked.stderr)
    said.append((await router.http.post(f"{api}/config/router/validate", json={"text": json.dumps(wrong)})).text)
    for changed, complaint in ((wrong, "unknown model"), (lost, "cannot read the tools")):
        router.write(changed)
        said.append(await router.says(complaint))
        said += [(await router.http.get(f"{api}{page}")).text for page in ("/config/router", "/ready")]
    assert all("${CANARY}" in text for text in said)
    said.append((await router.http.get(f"{router.address('metrics')}/metrics")).text)
    assert CANARY not in "\n".join([*said, *router.said])


async def test_a_trace_that_nobody_follows_passes_untouched(serve, simple, backend):
    large = await backend(name="large")
    router = await serve(observed(simple({"large": [large.url]})))
    headers = {"traceparent": "not even a trace", "tracestate": "vendor=1"}
    assert (await router.http.post(CHAT, json=ask("@large hello"), headers=headers)).status_code == 200
    (received,) = large.requests
    assert (received.header("traceparent"), received.header("tracestate")) == ("not even a trace", "vendor=1")
