"""The chart, rendered by Helm."""

from __future__ import annotations

import re

import pytest
import yaml

import waypost
from waypost.config.load import loads
from waypost.config.restart import _FIXED, needs_restart

SETS = ("", "minimal", "production", "extproc-only", "tls-redis", "autoscaling")


def one(documents, kind):
    (found,) = [document for document in documents if document["kind"] == kind]
    return found


def container(documents):
    (found,) = one(documents, "Deployment")["spec"]["template"]["spec"]["containers"]
    return found


def config_with(**sections) -> str:
    base = {
        "version": 1,
        "listeners": {"http": "0.0.0.0:8801", "extproc": "0.0.0.0:50051", "api": "0.0.0.0:8080"},
        "api": {"tokens": [{"name": "operator", "env": "WAYPOST_TOKEN"}]},
        "models": {"a": {"endpoints": [{"url": "http://a:8000"}]}},
        "routing": {"default_model": "a"},
    }
    return yaml.safe_dump(base | sections)


def test_every_example_is_tried(value_sets) -> None:
    assert sorted(value_sets) == sorted(SETS)


def test_versions_are_those_of_the_package(chart) -> None:
    metadata = yaml.safe_load((chart / "Chart.yaml").read_text("utf-8"))
    assert metadata["version"] == metadata["appVersion"] == waypost.__version__


@pytest.mark.parametrize("name", SETS)
def test_helm_lints_it(chart, value_sets, name) -> None:
    linter = pytest.importorskip("helm_python.chart", reason="Helm is not installed: pip install helm-python-sdk")
    report = linter.lint(chart, value_sets[name], strict=True)
    assert [message for message in report["messages"] if message["severity"] > 1] == []


@pytest.mark.parametrize("name", SETS)
def test_every_document_is_what_kubernetes_takes(render, value_sets, require_valid, require_coherent, name) -> None:
    documents = render(value_sets[name])
    for document in documents:
        require_valid(document)
    require_coherent(documents)


@pytest.mark.parametrize("name", SETS)
def test_the_configuration_is_one_that_waypost_takes(render, value_sets, load_as_deployed, name) -> None:
    data = one(render(value_sets[name]), "ConfigMap")["data"]
    config = load_as_deployed(data.pop("waypost.yaml"), data).config
    named = {volume.removeprefix("secret-") for volume in _volumes(render(value_sets[name]))}
    assert named >= {path.split("/")[3] for path in _secret_paths(value_sets[name].get("config", ""))}
    assert config.models


def _volumes(documents):
    return [volume["name"] for volume in one(documents, "Deployment")["spec"]["template"]["spec"]["volumes"]]


def _secret_paths(text: str) -> list[str]:
    return [word.rstrip(",}") for word in text.split() if word.startswith("/run/secrets/")]


def test_what_the_pages_say_works(root, render, require_valid, load_as_deployed) -> None:
    kinds = {"yaml values": lambda text: [*map(require_valid, render(yaml.safe_load(text)))]}
    kinds["yaml deployed"] = load_as_deployed
    for page in (root / "docs" / "how-to").glob("deploy-*.md"):
        blocks = re.findall(r"^```([^\n]*)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        assert {kind for kind, _ in blocks} <= {"sh", *kinds}
        assert "yaml deployed" in {kind for kind, _ in blocks}
        for kind, text in blocks:
            kinds.get(kind, str)(text)


def test_what_a_pod_may_do(render) -> None:
    pod = one(render({}), "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    context = pod["containers"][0]["securityContext"]
    assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False)
    assert context["capabilities"] == {"drop": ["ALL"]}


def test_the_configuration_is_mounted_as_a_directory(render) -> None:
    """A file mounted by subPath never changes, so nothing would be reloaded."""
    mounts = {mount["name"]: mount for mount in container(render({}))["volumeMounts"]}
    assert mounts["config"] == {"name": "config", "mountPath": "/etc/waypost", "readOnly": True}


def test_ports_follow_the_configuration(render, value_sets) -> None:
    def ports(name):
        return {port["name"]: port["containerPort"] for port in container(render(value_sets[name]))["ports"]}

    assert ports("") == {"http": 8801, "api": 8080, "metrics": 9190}
    assert ports("extproc-only") == {"extproc": 50051, "api": 8080, "metrics": 9190}
    assert ports("autoscaling")["http"] == 8000
    assert ports("tls-redis")["api"] == 8443
    assert container(render(value_sets["tls-redis"]))["readinessProbe"]["httpGet"]["scheme"] == "HTTPS"
    assert one(render(value_sets["tls-redis"]), "ServiceMonitor")["spec"]["endpoints"][0]["scheme"] == "https"


@pytest.mark.parametrize(
    ("drain", "grace"), [(None, 50), ("2m", 140), ("1.5m", 110), ("0s", 20), ("1500ms", 22), ("1h", 3620)]
)
def test_a_pod_lives_until_its_answers_ended(render, drain, grace) -> None:
    config = config_with(envoy={"drain_timeout": drain} if drain else {})
    assert (
        one(render({"config": config}), "Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        == grace
    )


@pytest.mark.parametrize("name", SETS)
def test_every_example_lives_until_its_answers_ended(render, value_sets, load_as_deployed, outlives, name) -> None:
    data = one(documents := render(value_sets[name]), "ConfigMap")["data"]
    outlives(one(documents, "Deployment"), load_as_deployed(data.pop("waypost.yaml"), data).config)


def test_a_pod_that_need_not_wait_has_no_hook(render) -> None:
    """Kubernetes before 1.33 refuses to sleep for no seconds."""
    assert container(render({"preStopSeconds": 7}))["lifecycle"] == {"preStop": {"sleep": {"seconds": 7}}}
    assert "lifecycle" not in container(render({"preStopSeconds": 0}))


def tls_of(*parts: str, client_ca: tuple[str, ...] = ()):
    pair = {"certificate": "/run/secrets/tls/tls.crt", "key": "/run/secrets/tls/tls.key"}
    ca = {"client_ca": "/run/secrets/tls/ca.crt"}
    return {part: pair | (ca if part in client_ca else {}) for part in parts}


OPEN = {"http": "0.0.0.0:8801", "api": "0.0.0.0:8080", "metrics": "0.0.0.0:9190"}


@pytest.mark.parametrize(
    ("tls", "port", "scheme"),
    [
        ({}, "api", "HTTP"),
        (tls_of("metrics"), "api", "HTTP"),
        (tls_of("metrics", client_ca=("metrics",)), "api", "HTTP"),
        (tls_of("api", "metrics"), "api", "HTTPS"),
        (tls_of("api", client_ca=("api",)), "metrics", "HTTP"),
        (tls_of("api", "metrics", client_ca=("api",)), "metrics", "HTTPS"),
    ],
)
def test_probes_ask_where_no_certificate_is_asked_for(
    render, require_valid, load_as_deployed, tls, port, scheme
) -> None:
    text = config_with(tls=tls, listeners=OPEN)
    load_as_deployed(text)
    documents = render({"config": text})
    require_valid(one(documents, "Deployment"))
    probes = [container(documents)[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]
    assert [probe["path"] for probe in probes] == ["/ready", "/ready", "/health"]
    assert {(probe["port"], probe["scheme"]) for probe in probes} == {(port, scheme)}


def test_workers_are_an_argument(render) -> None:
    assert container(render({}))["args"] == ["serve"]
    assert container(render({"workers": 4}))["args"] == ["serve", "--workers=4"]


def digest(documents) -> str:
    return one(documents, "Deployment")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]


FIXED = {
    "listeners": {"listeners": {"http": "0.0.0.0:8802", "api": "0.0.0.0:8080"}},
    "api": {"api": {"tokens": [{"name": "other", "env": "WAYPOST_TOKEN"}]}},
    "tls": {"tls": {"metrics": {"certificate": "/c", "key": "/k"}}},
    "envoy.enabled": {"envoy": {"enabled": False}},
    "envoy.request_body": {"envoy": {"request_body": "full_duplex_streamed"}},
    "envoy.concurrency": {"envoy": {"concurrency": 3}},
    "envoy.max_request_body": {"envoy": {"max_request_body": "1MiB"}},
    "envoy.max_connections": {"envoy": {"max_connections": 100}},
    "encoder": {"encoder": {"threads": 1}},
    **{f"cache.{key}": {"cache": {key: "other"}} for fixed, *rest in _FIXED if fixed == "cache" for key in rest},
    "demo": {"demo": {}},
    **{
        f"observability.tracing.{key}": {"observability": {"tracing": {key: "other"}}}
        for key in ("exporter", "endpoint", "service_name", "queue")
    },
    "observability.records": {"observability": {"records": {"path": "/tmp/records"}}},
}  # fmt: skip


@pytest.mark.parametrize("place", [".".join(place) for place in _FIXED])
def test_what_needs_a_restart_starts_new_pods(render, place) -> None:
    before, after = (digest(render({"config": config_with(**change)})) for change in ({}, FIXED[place]))
    assert before != after


def test_what_does_not_is_reloaded(render) -> None:
    texts = config_with(), config_with(routing={"default_model": "a", "explicit_models": "route"})
    before, after = (loads(text, "waypost.yaml", {"WAYPOST_TOKEN": "0123456789abcdef"}).config for text in texts)
    assert needs_restart(before, after) == ()
    assert len({digest(render({"config": text})) for text in texts}) == 1
    assert len({digest(render({"config": text, "reload": "restart"})) for text in texts}) == 2


def test_a_changed_file_beside_it_starts_new_pods(render) -> None:
    assert digest(render({"files": {"tools.json": "[]"}})) != digest(render({"files": {"tools.json": "[1]"}}))


def test_alerts_are_those_of_prometheus(render, value_sets, alert_groups) -> None:
    assert one(render(value_sets["production"]), "PrometheusRule")["spec"] == {"groups": alert_groups}


def test_alerts_find_the_job_whatever_the_release_is_called(render) -> None:
    documents = render({"serviceMonitor": {"enabled": True}}, name="eu-west")
    label = one(documents, "ServiceMonitor")["spec"]["jobLabel"]
    assert one(documents, "Service")["metadata"]["labels"][label] == "waypost"


def test_secrets_are_only_referred_to(render, value_sets) -> None:
    for values in value_sets.values():
        assert "Secret" not in {document["kind"] for document in render(values)}
    pod = one(render(value_sets["tls-redis"]), "Deployment")["spec"]["template"]["spec"]
    assert "envFrom" not in pod["containers"][0]
    modes = {volume["secret"]["secretName"]: volume["secret"]["defaultMode"] for volume in pod["volumes"][2:]}
    assert modes == {"waypost-tls": 0o440, "waypost-keys": 0o440}


def test_an_autoscaler_alone_says_how_many(render, value_sets) -> None:
    assert "replicas" not in one(render(value_sets["autoscaling"]), "Deployment")["spec"]
    metrics = one(render(value_sets["autoscaling"]), "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert [metric["type"] for metric in metrics] == ["Resource", "Pods"]
    assert metrics[1]["pods"]["metric"]["name"] == "waypost_encoder_pending"


def test_a_closed_network_still_finds_names(render) -> None:
    to_models = {"to": [{"podSelector": {}}], "ports": [{"port": 8000}]}
    policy = one(render({"networkPolicy": {"enabled": True, "egress": [to_models]}}), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert {port["port"] for port in policy["egress"][0]["ports"]} == {53}
    assert policy["egress"][1] == to_models


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"replica": 3}, "replica"),
        ({"replicas": "3"}, "replicas"),
        ({"workers": 0}, "workers"),
        ({"reload": "maybe"}, "reload"),
        ({"config": {"version": 1}}, "config"),
        ({"config": ""}, "config"),
        ({"files": {"waypost.yaml": ""}}, r"waypost\.yaml"),
        ({"secrets": {"env": "waypost"}}, "secrets"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"service": {"kind": "ClusterIP"}}, "kind"),
        ({"topologySpread": [{"topologyKey": "zone"}]}, "topologySpread"),
        ({"config": "version: ["}, "config is not YAML"),
        ({"config": config_with(listeners={"http": "0.0.0.0:8801"})}, r"listeners\.api is on the loopback"),
        ({"config": config_with(listeners={"api": "0.0.0.0:8080"})}, r"listeners\.http is on the loopback"),
        (
            {"config": config_with(envoy={"enabled": False}, listeners={"api": "0.0.0.0:8080"})},
            r"listeners\.extproc is on the loopback",
        ),
        ({"config": config_with(listeners={"api": "0.0.0.0:${PORT}"})}, "not a variable"),
        ({"config": config_with(envoy={"drain_timeout": "${DRAIN}"})}, "set terminationGracePeriodSeconds"),
        ({"config": config_with(envoy={"enabled": False}), "workers": 2}, "raise replicas"),
        ({"config": config_with(), "serviceMonitor": {"enabled": True}}, r"listeners\.metrics"),
        (
            {"config": config_with(tls=tls_of("api", client_ca=("api",)))},
            r"ask listeners\.metrics, which is on the loopback; write 0\.0\.0\.0",
        ),
        (
            {"config": config_with(tls=tls_of("api", "metrics", client_ca=("api", "metrics")), listeners=OPEN)},
            r"leave client_ca out of tls\.metrics",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(render, values, told) -> None:
    errors = pytest.importorskip("helm_python.errors")
    with pytest.raises(errors.HelmError, match=told):
        render(values)
