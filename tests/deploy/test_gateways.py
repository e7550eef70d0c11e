"""The manifests that put waypost behind a gateway: Envoy AI Gateway, Istio, agentgateway.

Nothing here needs a cluster: documents are held against the published schemas, and every name that one of them says
against the one that it means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from waypost.config.caching import CacheConfig
from waypost.config.load import load
from waypost.config.schema import Config
from waypost.wire.headers import SELECTED_MODEL

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="the dev dependency is not installed")

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2] / "deploy/kubernetes"
CRDS = Path(__file__).with_name("crds")
KUBERNETES = "1.34"
VARIANTS = ("ai-gateway", "ai-gateway/hosted", "istio", "agentgateway")
DOCS = ROOT.parents[1] / "docs"
STACK = "vllm-router-service.vllm.svc.cluster.local"
ELSEWHERE = {"Service/vllm/vllm-router-service", "Secret/waypost/openai", "GatewayClass//agentgateway"}
"""What the Production Stack, an operator and the gateway's own chart bring."""


def files(kustomization: Path) -> Iterator[Path]:
    """The manifests that a kustomization names, those of its bases included."""
    for name in yaml.safe_load((kustomization / "kustomization.yaml").read_text("utf-8"))["resources"]:
        resource = (kustomization / name).resolve()
        # What kustomize refuses: files of other directories, and bases around the kustomization itself.
        assert resource.parent == kustomization.resolve() or resource.is_dir()
        assert resource not in kustomization.resolve().parents
        yield from files(resource) if resource.is_dir() else [resource]


@cache
def documents(variant: str) -> list[Json]:
    return [document for file in files(ROOT / variant) for document in yaml.safe_load_all(file.read_text("utf-8"))]


def config_file(kustomization: Path) -> Path:
    """The waypost.yaml that ends in the ConfigMap: of the kustomization itself, or of its nearest base."""
    manifest = yaml.safe_load((kustomization / "kustomization.yaml").read_text("utf-8"))
    for generator in manifest.get("configMapGenerator", ()):
        assert (generator["name"], generator["namespace"]) == ("waypost", "waypost")
        return kustomization / generator["files"][0]
    bases = [kustomization / name for name in manifest["resources"] if (kustomization / name).is_dir()]
    return config_file(bases[0].resolve())


def of(kind: str, found: list[Json]) -> list[Json]:
    return [document for document in found if document["kind"] == kind]


def key(kind: str, document: Json) -> str:
    return f"{kind}/{document['metadata'].get('namespace', '')}/{document['metadata']['name']}"


def said(value: object, name: str) -> Iterator[Any]:
    """Every value under the key ``name``, at any depth."""
    if isinstance(value, dict):
        yield from (found for each, found in value.items() if each == name)
        for inner in value.values():
            yield from said(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from said(inner, name)


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def manifests(variant: str) -> list[Json]:
    return documents(variant)


def test_every_document_is_what_its_kind_may_be() -> None:
    once = {file for variant in VARIANTS for file in files(ROOT / variant)}
    for document in (each for file in once for each in yaml.safe_load_all(file.read_text("utf-8"))):
        schema = CRDS / f"{document['kind'].lower()}-{document['apiVersion'].replace('/', '-')}.json"
        if schema.exists():
            Draft202012Validator(json.loads(schema.read_text("utf-8"))).validate(document)
        else:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_every_schema_says_where_it_comes_from_and_refuses_what_it_does_not_know() -> None:
    used = {f"{d['apiVersion']} {d['kind']}" for variant in VARIANTS for d in documents(variant)}
    for file in CRDS.glob("*.json"):
        schema = json.loads(file.read_text("utf-8"))
        assert schema["title"] in used
        assert "of " in schema["$comment"] or "kubernetes-sigs" in schema["$comment"]
        assert schema["properties"]["spec"]["additionalProperties"] is False


def test_nothing_is_defined_twice(manifests) -> None:
    names = [key(document["kind"], document) for document in manifests]
    assert len(names) == len(set(names))


def test_every_file_belongs_to_a_variant() -> None:
    used = {file for variant in VARIANTS for file in files(ROOT / variant)}
    used |= {config_file(ROOT / variant) for variant in VARIANTS}
    own = {file for top in ("ai-gateway", "istio", "agentgateway") for file in (ROOT / top).rglob("*.yaml")}
    assert own - used - {f for f in own if f.name == "kustomization.yaml" or f.parent.name == "values"} == set()


def references(document: Json) -> Iterator[tuple[str, str]]:
    """What a document refers to, as (kind/namespace/name, port)."""
    here, spec = document["metadata"].get("namespace", ""), document.get("spec", {})
    if document["kind"] == "Gateway" and "gatewayClassName" in spec:
        yield f"GatewayClass//{spec['gatewayClassName']}", ""
    named = ("parametersRef", "targetRef", "backendRef", "secretRef")
    listed = ("targetRefs", "parentRefs", "backendRefs")
    targets = [ref for name in named for ref in said(spec, name)]
    targets += [ref for name in listed for refs in said(spec, name) for ref in refs]
    default = "AIServiceBackend" if document["kind"] == "AIGatewayRoute" else "Service"
    for ref in targets:
        kind = ref.get("kind", "Secret" if ref in said(spec, "secretRef") else default)
        yield f"{kind}/{ref.get('namespace', here)}/{ref['name']}", str(ref.get("port", ""))
    for gateway in spec.get("gateways", ()):
        yield f"Gateway/{here}/{gateway}", ""
    hosts = [(d["host"], d.get("port", {}).get("number", "")) for d in said(spec, "destination")]
    hosts += [(spec["host"], "")] if document["kind"] == "DestinationRule" else []
    hosts += [(e["hostname"], e["port"]) for e in said(spec, "fqdn") if e["hostname"].endswith(".svc.cluster.local")]
    hosts += [(a["address"], a["port_value"]) for a in said(spec, "socket_address")]
    hosts += [tuple(reversed(c.split("|")[1::2])) for c in said(spec, "cluster_name") if c.startswith("outbound|")]
    for host, port in hosts:
        name, namespace, *_ = host.split(".")
        yield f"Service/{namespace}/{name}", str(port)


def test_every_reference_is_resolved(manifests) -> None:
    known = {key(document["kind"], document): document for document in manifests}
    # AI Gateway makes an HTTPRoute of each AIGatewayRoute, with its name.
    known |= {key("HTTPRoute", route): route for route in of("AIGatewayRoute", manifests)}
    for document in manifests:
        for target, port in references(document):
            assert target in known or target in ELSEWHERE, f"{key(document['kind'], document)} → {target}"
            service = known.get(target) if target.startswith("Service/") else None
            if service and port:
                assert int(port) in {each["port"] for each in service["spec"]["ports"]}, target


def test_a_reference_into_another_namespace_is_granted() -> None:
    found = documents("agentgateway")
    (route,), (grant,) = of("HTTPRoute", found), of("ReferenceGrant", found)
    (backend,) = route["spec"]["rules"][0]["backendRefs"]
    assert grant["metadata"]["namespace"] == backend["namespace"]
    assert grant["spec"]["to"] == [{"group": "", "kind": "Service", "name": backend["name"]}]
    assert grant["spec"]["from"][0]["namespace"] == route["metadata"]["namespace"]


def test_the_pods_are_those_that_the_services_and_policies_mean(manifests) -> None:
    (deployment,) = of("Deployment", manifests)
    pod = deployment["spec"]["template"]
    labels = pod["metadata"]["labels"].items()
    (container,) = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels
    for service in of("Service", manifests):
        assert service["spec"]["selector"].items() <= labels
        assert all(ports[port["targetPort"]] == port["port"] for port in service["spec"]["ports"])
    for policy in (*of("NetworkPolicy", manifests), *of("PodDisruptionBudget", manifests)):
        selector = policy["spec"].get("podSelector") or policy["spec"]["selector"]
        assert selector["matchLabels"].items() <= labels
    (network,) = of("NetworkPolicy", manifests)
    assert {port["port"] for rule in network["spec"]["ingress"] for port in rule["ports"]} == set(ports.values())


def patience(config: Config) -> str:
    """How long a gateway's filter must wait, so that a cache may be added later."""
    return f"{config.model_copy(update={'cache': CacheConfig()}).processing_timeout:.0f}s"


def test_waypost_takes_its_configuration(variant, manifests, outlives) -> None:
    config = load(config_file(ROOT / variant), {}).config
    (deployment,) = of("Deployment", manifests)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert not config.envoy.enabled
    assert (config.listeners.extproc.port, config.listeners.metrics.port) == (ports["extproc"], ports["metrics"])
    assert container["command"][-1] == "/etc/waypost/waypost.yaml"
    outlives(deployment, config)
    assert {patience(config)} >= set(said(manifests, "message_timeout"))
    names = ("bufferLimit", "maxBufferSize", "per_connection_buffer_limit_bytes")
    limits = {limit for name in names for limit in said(manifests, name)}
    assert limits in ({"50Mi"}, {50 * 2**20})
    assert config.envoy.max_request_body == 50 * 2**20


def test_what_a_gateway_deploys_under_its_name_is_not_ours(build, variant) -> None:
    """agentgateway applies a Deployment, a Service, … of the Gateway's name; so does Envoy Gateway, if told to."""
    rendered = build(variant)
    kinds = ("ConfigMap", "Deployment", "Service", "ServiceAccount")
    ours = {(kind, key("", document)) for kind in kinds for document in of(kind, rendered)}
    assert {kind for kind, _ in ours} >= {"ConfigMap", "Deployment", "Service"}
    (deployment,), (gateway,) = of("Deployment", rendered), of("Gateway", rendered)
    assert key("", gateway) not in {name for _, name in ours}
    if "gatewayClassName" in gateway["spec"]:  # its pods have its name in this label
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] != gateway["metadata"]["name"]


def test_the_gateway_is_called_the_same_where_it_is_not_a_reference(variant, manifests) -> None:
    """In the labels of its pods, the name of its listener, and the command of the tutorial."""
    (gateway,) = of("Gateway", manifests)
    name, (policy,) = gateway["metadata"]["name"], of("NetworkPolicy", manifests)
    pods = [pod for peers in said(policy, "from") for peer in peers for pod in said(peer, "podSelector")]
    named = {value for pod in pods for label, value in pod["matchLabels"].items() if label.endswith("gateway-name")}
    assert named == (set() if variant == "istio" else {name})
    for patch in (patch for document in of("EnvoyPatchPolicy", manifests) for patch in said(document, "jsonPatches")):
        listeners = {each["name"] for each in patch if each["type"].endswith(".Listener")}
        assert listeners == {f"{gateway['metadata']['namespace']}/{name}/http"}
    if variant.startswith("ai-gateway"):
        for page in DOCS.glob("tutorial/production-stack*.md"):
            text = page.read_text("utf-8")
            assert re.findall(r"owning-gateway-name=([\w-]+)", text) == [name], page
            assert f"`{gateway['metadata']['namespace']}/{name}/http`" in text, page


def test_the_less_busy_replica_gets_the_next_request(variant, manifests) -> None:
    clusters = [value for value in said(manifests, "value") if isinstance(value, dict) and "lb_policy" in value]
    rules = [rule["spec"] for rule in of("DestinationRule", manifests) if rule["spec"]["host"].startswith("waypost.")]
    rules = [rule["trafficPolicy"]["loadBalancer"]["simple"] for rule in rules]
    # agentgateway takes the better of two anyway.
    expected = [] if variant == "agentgateway" else ["LEAST_REQUEST"]
    assert [*(cluster["lb_policy"] for cluster in clusters), *rules] == expected


def test_the_envoy_of_the_page_is_like_those_of_the_manifests() -> None:
    text = (DOCS / "how-to/run-beside-your-own-envoy.md").read_text("utf-8")
    blocks = dict(re.findall(r"^```(yaml(?: envoy)?)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    config, envoy = Config.model_validate(yaml.safe_load(blocks["yaml"])), yaml.safe_load(blocks["yaml envoy"])
    assert list(said(envoy, "message_timeout")) == [patience(config)]
    (cluster,) = [each for each in envoy["static_resources"]["clusters"] if each["name"] == "waypost"]
    assert cluster["lb_policy"] == "LEAST_REQUEST"


def test_every_model_of_the_pool_has_a_route(variant, manifests) -> None:
    """AI Gateway routes by the name in the body, the others by the header with waypost's own name."""
    config = load(config_file(ROOT / variant), {}).config
    routed = {
        match["value"]: (match["name"], route)
        for route in (*of("AIGatewayRoute", manifests), *of("HTTPRoute", manifests))
        for headers in said(route, "headers")
        for match in headers
    }
    for route in of("VirtualService", manifests):
        routed |= {h[SELECTED_MODEL]["exact"]: (SELECTED_MODEL, route) for h in said(route, "headers")}
    if variant.startswith("ai-gateway"):
        expected = {model.served_as or name: "x-ai-eg-model" for name, model in config.models.items()}
    else:
        expected = dict.fromkeys(config.models, SELECTED_MODEL)
    assert {value: header for value, (header, _) in routed.items()} == expected


def destinations(found: list[Json]) -> set[tuple[str, int]]:
    """Where the routes end."""
    ends = {(backend["hostname"], backend["port"]) for backend in said(found, "fqdn")}
    ends |= {(end["host"], end["port"]["number"]) for end in said(of("VirtualService", found), "destination")}
    backends = [backend for refs in said(of("HTTPRoute", found), "backendRefs") for backend in refs]
    return ends | {(f"{each['name']}.{each['namespace']}.svc.cluster.local", each["port"]) for each in backends}


def test_the_production_stack_is_where_everything_points(variant, manifests) -> None:
    config = load(config_file(ROOT / variant), {}).config
    pool = {(endpoint.host, endpoint.port) for model in config.models.values() for endpoint in model.endpoints}
    assert (STACK, 80) in pool
    assert destinations(manifests) == pool


def test_the_values_of_the_charts_agree_with_the_manifests() -> None:
    directory = ROOT / "ai-gateway/values"
    stack, session, gateway, ai_gateway = (
        yaml.safe_load((directory / f"{name}.yaml").read_text("utf-8"))
        for name in ("vllm-stack", "vllm-stack-session", "envoy-gateway", "ai-gateway")
    )
    config = load(ROOT / "ai-gateway/waypost/waypost.yaml", {}).config
    (engine,) = stack["servingEngineSpec"]["modelSpec"]
    if engine["replicaCount"] > 1 and "pvcStorage" in engine:  # one claim for all replicas, wherever they run
        assert engine["pvcAccessMode"] == ["ReadWriteMany"]
    assert engine["modelURL"] == config.models["qwen3-8b"].served_as
    assert (engine["replicaCount"], engine["requestGPU"]) == (2, 1)
    assert (stack["routerSpec"]["routingLogic"], stack["routerSpec"]["servicePort"]) == ("roundrobin", 80)
    assert session["routerSpec"] == {"routingLogic": "session", "sessionKey": "x-user-id"}
    extensions = gateway["config"]["envoyGateway"]
    assert extensions["extensionApis"] == {"enableEnvoyPatchPolicy": True, "enableBackend": True}
    name = ai_gateway["controller"]["fullnameOverride"]
    hook = extensions["extensionManager"]["service"]["fqdn"]
    assert hook["hostname"] == f"{name}.envoy-ai-gateway-system.svc.cluster.local"
