"""The listener filters of the gateway manifests in a real Envoy.

Envoy Gateway and Istio cannot run here: their controllers need a cluster. What they would hand to Envoy is built from
the manifests; a scripted processor stands in for AI Gateway's, which reads the model from the body and routes by it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import deepcopy
from typing import Any

import httpx
import pytest

from waypost.errors import ConfigError
from waypost.serve.envoy.binary import envoy_binary
from waypost.serve.envoy.files import prepare, validate
from waypost.serve.envoy.names import type_url

Json = dict[str, Any]

HCM = "envoy.filters.network.http_connection_manager"
AI_GATEWAY = "envoy.filters.http.ext_proc/aigateway"
BEFORE = (
    *("ext_proc", "wasm", "lua", "rbac", "local_ratelimit", "ratelimit"),
    *("custom_response", "credential_injector", "compressor", "router"),
)
"""AI Gateway 1.1 inserts itself before the first of these: afterExtProcFilterPrefixes in its extension server."""


def extension(name: str, message: str, **fields: Any) -> Json:
    return {"name": name, "typed_config": {"@type": type_url(message), **fields}}


def cluster(name: str, port: int = 1, *, http2: bool = False) -> Json:
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    protocol = {"@type": type_url(options), "explicit_http_config": {"http2_protocol_options": {}}}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    members = {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}
    more = {"typed_extension_protocol_options": {options: protocol}} if http2 else {}
    return {"name": name, "type": "STATIC", "load_assignment": members, **more}


def connections(routes: list[Json], **fields: Any) -> Json:
    hosts = [{"name": "all", "domains": ["*"], "routes": routes}]
    router = extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router")
    message = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    defaults: Json = {"stat_prefix": "gateway", "http_filters": [router], "route_config": {"virtual_hosts": hosts}}
    return extension(HCM, message, **defaults, **fields)


def inserted(filters: list[Json], own: Json) -> list[Json]:
    """Put AI Gateway's filter where its extension server would."""
    prefixes = tuple(f"envoy.filters.http.{name}" for name in BEFORE)
    place = next(number for number, each in enumerate(filters) if each["name"].startswith(prefixes))
    return [*filters[:place], own, *filters[place:]]


def added(document: Json, path: str, value: object) -> None:
    """RFC 6902's ``add``, for a path that ends in the index of a list."""
    *way, index = path.removeprefix("/").split("/")
    place: Any = document
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place.insert(int(index), value)


def merged(old: Any, new: Any) -> Any:
    """Istio's MERGE, protobuf's: objects by field, lists one behind the other."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {name: merged(old.get(name), value) for name, value in new.items()}
    return [*old, *new] if isinstance(old, list) and isinstance(new, list) else new


@pytest.fixture
def ai_gateway(manifest: Callable[[str], list[Json]]) -> Callable[..., Json]:
    """Build what Envoy Gateway hands to Envoy: ``ai_gateway(listen, waypost, stack, processor)``, all of them ports."""

    def build(listen: int = 0, waypost: int = 1, stack: int = 1, processor: int = 1) -> Json:
        (policy,), models, gateway = (
            manifest(f"ai-gateway/gateway/{name}.yaml") for name in ("extproc", "models", "gateway")
        )
        (rule,) = models[0]["spec"]["rules"]
        ((match,),) = (each["headers"] for each in rule["matches"])
        chosen = {"name": match["name"], "string_match": {"exact": match["value"]}}
        routes = [
            {"match": {"prefix": "/", "headers": [chosen]}, "route": {"cluster": "stack", "timeout": "0s"}},
            {"match": {"prefix": "/"}, "direct_response": {"status": 404}},  # as AI Gateway's rule for the rest
        ]
        early = gateway[-1]["spec"]["headers"]["earlyRequestHeaders"]
        mutation = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
        removed = extension("early", mutation, mutations=[{"remove": name} for name in early["remove"]])
        manager = connections(routes, early_header_mutation_extensions=[removed])
        address = {"socket_address": {"address": "127.0.0.1", "port_value": listen}}
        limit = int(gateway[-1]["spec"]["connection"]["bufferLimit"].removesuffix("Mi")) * 2**20
        listener: Json = {"name": "http", "address": address, "per_connection_buffer_limit_bytes": limit}
        listener["default_filter_chain"] = {"filters": [manager]}
        patch, addition = (each["operation"] for each in deepcopy(policy["spec"]["jsonPatches"]))
        added(listener, patch["path"], patch["value"])
        processors = addition["value"]
        if waypost != 1:
            processors |= cluster("waypost", waypost)
        own = extension(
            AI_GATEWAY,
            "envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
            grpc_service={"envoy_grpc": {"cluster_name": "ai-gateway"}},
            processing_mode={"request_body_mode": "BUFFERED", "response_header_mode": "SKIP"},
        )
        manager["typed_config"]["http_filters"] = inserted(manager["typed_config"]["http_filters"], own)
        clusters = [processors, cluster("stack", stack), cluster("ai-gateway", processor, http2=True)]
        return {"static_resources": {"listeners": [listener], "clusters": clusters}}

    return build


@pytest.fixture
def istio(manifest: Callable[[str], list[Json]]) -> Json:
    """What Istio hands to Envoy: a gateway's listener with the patches of the EnvoyFilter."""
    (envoy_filter,) = manifest("istio/extproc.yaml")
    routes, *_ = manifest("istio/routes.yaml")
    (route,) = routes["spec"]["http"]
    ((name, value),) = route["match"][0]["headers"].items()
    match = {"prefix": "/", "headers": [{"name": name, "string_match": value}]}
    manager = connections([{"match": match, "route": {"cluster": "stack", "timeout": route["timeout"]}}])
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    listener: Json = {"name": "http", "address": address, "filter_chains": [{"filters": [manager]}]}
    for patch in envoy_filter["spec"]["configPatches"]:
        value = patch["patch"]["value"]
        match patch["applyTo"], patch["patch"]["operation"]:
            case "LISTENER", "MERGE":
                listener |= value
            case "NETWORK_FILTER", "MERGE":
                manager["typed_config"] = merged(manager["typed_config"], value["typed_config"])
            case "HTTP_FILTER", "INSERT_BEFORE":
                filters = manager["typed_config"]["http_filters"]
                sought = patch["match"]["listener"]["filterChain"]["filter"]["subFilter"]["name"]
                filters.insert([each["name"] for each in filters].index(sought), value)
            case other:
                pytest.fail(f"a kind of patch that this test does not know: {other}")
    processors = cluster("outbound|50051||waypost.waypost.svc.cluster.local", http2=True)
    return {"static_resources": {"listeners": [listener], "clusters": [processors, cluster("stack")]}}


def test_envoy_takes_the_patch_of_ai_gateway(ai_gateway, run_dir) -> None:
    validate(prepare(run_dir), ai_gateway())


def test_envoy_takes_the_filter_of_istio(istio, run_dir) -> None:
    validate(prepare(run_dir), istio)
    manager = istio["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    assert [each["name"] for each in manager["http_filters"]] == ["waypost", "envoy.filters.http.router"]


def test_envoy_would_refuse_a_field_that_does_not_exist(ai_gateway, run_dir) -> None:
    broken = ai_gateway()
    broken["static_resources"]["clusters"][0]["lb_polizy"] = "ROUND_ROBIN"
    with pytest.raises(ConfigError, match="lb_polizy"):
        validate(prepare(run_dir), broken)


def filters_of(config: Json) -> list[Json]:
    (listener,) = config["static_resources"]["listeners"]
    found: list[Json] = listener["default_filter_chain"]["filters"][0]["typed_config"]["http_filters"]
    return found


def test_waypost_comes_before_ai_gateway_but_would_not_under_another_name(ai_gateway) -> None:
    waypost, own, router = filters_of(ai_gateway())
    assert [each["name"] for each in (waypost, own, router)] == ["waypost", AI_GATEWAY, "envoy.filters.http.router"]
    as_extension_policy = waypost | {
        "name": "envoy.filters.http.ext_proc/envoyextensionpolicy/waypost/waypost/extproc/0"
    }
    assert inserted([as_extension_policy, router], own) == [own, as_extension_policy, router]


def test_behind_what_authenticates_it_still_comes_before_ai_gateway(manifest) -> None:
    """As extproc.yaml says: the path ends in the number of those filters."""
    (policy,) = manifest("ai-gateway/gateway/extproc.yaml")
    waypost = policy["spec"]["jsonPatches"][0]["operation"]["value"]
    filters = [{"name": "envoy.filters.http.jwt_authn"}, {"name": "envoy.filters.http.router"}]
    added({"http_filters": filters}, "/http_filters/1", waypost)
    names = [each["name"] for each in inserted(filters, {"name": AI_GATEWAY})]
    assert names == ["envoy.filters.http.jwt_authn", "waypost", AI_GATEWAY, "envoy.filters.http.router"]


@pytest.fixture(scope="module")
def waypost(start_waypost) -> Any:
    return start_waypost(False)


@pytest.fixture
async def stack(backend) -> Any:
    """A recording server in the place of the Production Stack."""
    return await backend()


@pytest.fixture
async def gateway(
    ai_gateway, waypost, stack, processor, free_port, spawn, wait_for, run_dir
) -> AsyncIterator[Callable[..., Awaitable[httpx.AsyncClient]]]:
    """Run the gateway's Envoy and make a client of it; ``change`` edits Envoy's configuration before."""
    processor.set_headers = lambda body: {"x-ai-eg-model": str(body["model"])}
    extproc = int(waypost.config["listeners"]["extproc"].rpartition(":")[2])
    async with contextlib.AsyncExitStack() as exits:

        async def start(change: Callable[[Json], None] = lambda _: None) -> httpx.AsyncClient:
            config, log = ai_gateway(port := free_port(), extproc, stack.port, processor.address.port), run_dir / "log"
            filters_of(config)[0]["typed_config"]["message_timeout"] = "60s"  # the tests' machine may be busy
            change(config)
            path = run_dir / "envoy.json"
            path.write_text(json.dumps(config), "utf-8")
            options = ("--disable-hot-restart", *("--concurrency", 1), *("--log-level", "error"))
            process = exits.enter_context(spawn(log, envoy_binary(), *options, "-c", path))
            url = f"http://127.0.0.1:{port}"
            await asyncio.to_thread(wait_for, f"{url}/v1/models", process, log)  # waypost's own answer
            headers = {"authorization": "Bearer of-the-client"}
            return await exits.enter_async_context(
                httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60)
            )

        yield start


def question(**fields: Any) -> Json:
    return {"model": "MoM", "messages": [{"role": "user", "content": "What is the integral of x^2?"}], **fields}


async def test_a_virtual_model_goes_through_both_processors(gateway, stack, processor) -> None:
    client = await gateway()
    answer = await client.post("/v1/chat/completions", json=question(), headers={"x-user-id": "u"})
    assert answer.status_code == 200, answer.text
    assert (answer.headers["x-vsr-selected-model"], answer.headers["x-vsr-selected-decision"]) == ("qwen3-8b", "think")
    seen = processor.seen[-1]  # by AI Gateway
    assert (seen["x-selected-model"], seen["x-vsr-selected-decision"]) == ("qwen3-8b", "think")
    (received,) = stack.requests
    assert received.json["model"] == "Qwen/Qwen3-8B"
    assert received.json["chat_template_kwargs"] == {"enable_thinking": True}
    assert (received.header("x-user-id"), received.header("authorization")) == ("u", "Bearer of-the-client")


async def test_a_stream_passes_live(gateway, stack) -> None:
    stack.gates[len(stack.pieces)] = asyncio.Event()  # before the end
    client, seen = await gateway(), b""
    async with client.stream("POST", "/v1/chat/completions", json=question(stream=True)) as answer:
        async for piece in answer.aiter_bytes():
            seen += piece
            if b" stream" in seen:
                stack.gates[len(stack.pieces)].set()
    assert seen.endswith(b"data: [DONE]\n\n")


async def test_an_image_of_more_than_a_mebibyte_passes(gateway, stack) -> None:
    client = await gateway()
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'A' * 2**21}"}}
    content = [{"type": "text", "text": "What is in it?"}, image]
    answer = await client.post("/v1/chat/completions", json=question(messages=[{"role": "user", "content": content}]))
    assert answer.status_code == 200, answer.text
    assert len(stack.requests[0].body) > 2**21


async def test_a_client_cannot_say_what_only_the_router_may(gateway, stack) -> None:
    client = await gateway()
    names = ("x-category", "x-confidence", "x-gateway-destination-endpoint", "x-ai-eg-model", "x-selected-model")
    body = {"model": "MoM", "messages": [{"role": "user", "content": "Write a short poem."}]}
    answer = await client.post("/v1/chat/completions", json=body, headers=dict.fromkeys(names, "127.0.0.1:1"))
    assert answer.status_code == 200, answer.text
    (received,) = stack.requests
    assert "127.0.0.1:1" not in dict(received.headers).values()


async def test_in_the_other_order_no_route_knows_the_virtual_model(gateway) -> None:
    """What an EnvoyExtensionPolicy would do: AI Gateway reads the model before waypost has chosen it."""

    def turned(config: Json) -> None:
        filters = filters_of(config)
        filters[0], filters[1] = filters[1], filters[0]

    client = await gateway(turned)
    assert (await client.post("/v1/chat/completions", json=question())).status_code == 404
