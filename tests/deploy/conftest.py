"""What is deployed, rendered by the real tools and judged by the published schemas."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from waypost.config.load import Loaded, loads
from waypost.config.schema import Config
from waypost.serve.workers.messages import NOTICE_SECONDS

Document = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
OLDEST = "1.30"
"""Kubernetes, as in the chart's kubeVersion."""


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def chart() -> Path:
    return ROOT / "deploy" / "helm" / "waypost"


@pytest.fixture(scope="session")
def value_sets(chart: Path) -> dict[str, Document]:
    """The chart's examples; the empty one is its defaults."""
    files = sorted((chart / "ci").glob("*-values.yaml"))
    return {"": {}} | {
        file.name.removesuffix("-values.yaml"): yaml.safe_load(file.read_text("utf-8")) for file in files
    }


@pytest.fixture(scope="session")
def alert_groups() -> list[Document]:
    file = ROOT / "deploy" / "observability" / "prometheus" / "alerts.yml"
    groups: list[Document] = yaml.safe_load(file.read_text("utf-8"))["groups"]
    return groups


@pytest.fixture(scope="session")
def render(chart: Path) -> Iterator[Callable[..., list[Document]]]:
    """Render the chart with Helm itself; raises HelmError for values that it refuses."""
    helm = pytest.importorskip("helm_python", reason="Helm is not installed: pip install helm-python-sdk")

    def render(values: Mapping[str, object], name: str = "waypost") -> list[Document]:
        texts = loaded.render(dict(values), name=name, namespace="llm")
        manifests = [text for path, text in sorted(texts.items()) if not path.endswith("NOTES.txt")]
        return [document for text in manifests for document in yaml.safe_load_all(text) if document]

    with helm.Chart.load(chart) as loaded:
        yield render


@pytest.fixture(scope="session")
def build() -> Callable[[str], list[Document]]:
    """Build a directory below deploy/kubernetes with kustomize itself."""
    commands = {"kustomize": "build", "kubectl": "kustomize"}
    program = next(filter(shutil.which, commands), None)
    if program is None:
        pytest.skip("neither kustomize nor kubectl is installed")

    @functools.cache
    def built(directory: str) -> str:
        arguments = [program, commands[program], str(ROOT / "deploy" / "kubernetes" / directory)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return lambda directory: list(yaml.safe_load_all(built(directory)))


@pytest.fixture(scope="session")
def require_valid() -> Callable[[Document], None]:
    """Judge a document by the schema of its kind, unknown fields included; by the oldest and the newest Kubernetes."""
    kubernetes = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    schemas = yaml.safe_load((Path(__file__).parent / "crds.yaml").read_text("utf-8"))["schemas"]

    def require_valid(document: Document) -> None:
        if document["apiVersion"] == "monitoring.coreos.com/v1":
            jsonschema.validate(document, schemas[document["kind"]], cls=jsonschema.Draft202012Validator)
            return
        for version in (OLDEST, kubernetes.latest_version()):
            kubernetes.validate(document, version, strict=True)

    return require_valid


@pytest.fixture(scope="session")
def require_coherent() -> Callable[[list[Document]], None]:
    """Check that what points to something points to what is there."""

    def require_coherent(documents: list[Document]) -> None:
        found = {(document["kind"], document["metadata"]["name"]): document for document in documents}
        (deployment,) = (document for (kind, _), document in found.items() if kind == "Deployment")
        template = deployment["spec"]["template"]
        labels, ports = template["metadata"]["labels"], _ports(template)
        for (kind, name), document in found.items():
            selector = _selector(kind, document.get("spec", {}))
            assert selector is None or selector.items() <= labels.items(), f"{kind} {name} selects other pods"
        (service,) = (document for (kind, _), document in found.items() if kind == "Service")
        assert {port["targetPort"]: port["port"] for port in service["spec"]["ports"]} == ports
        account = template["spec"]["serviceAccountName"]
        assert account == "default" or ("ServiceAccount", account) in found
        for volume in template["spec"]["volumes"]:
            assert "configMap" not in volume or ("ConfigMap", volume["configMap"]["name"]) in found
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert template["spec"]["containers"][0][probe]["httpGet"]["port"] in ports

    return require_coherent


@pytest.fixture(scope="session")
def outlives() -> Callable[[Document, Config], None]:
    """Check that Kubernetes waits for load balancers, for the notice, for running answers, and some for the rest."""

    def outlives(deployment: Document, config: Config) -> None:
        pod = deployment["spec"]["template"]["spec"]
        sleep = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        needed = sleep + NOTICE_SECONDS + config.envoy.drain_timeout + 5
        assert pod["terminationGracePeriodSeconds"] >= needed

    return outlives


def _ports(template: Document) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in template["spec"]["containers"][0]["ports"]}


def _selector(kind: str, spec: Document) -> dict[str, str] | None:
    if kind == "Service":
        found: dict[str, str] | None = spec["selector"]
    else:
        found = (spec.get("selector") or spec.get("podSelector") or {}).get("matchLabels")
    return found


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A certificate that is its own authority, by the names under which Kubernetes keeps them."""
    openssl = shutil.which("openssl") or pytest.skip("openssl is not installed")
    directory = tmp_path_factory.mktemp("certificate")
    subject = ("-subj", "/CN=waypost", "-addext", "subjectAltName=DNS:waypost")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tls.key")
    subprocess.run([openssl, "req", "-x509", *key, "-out", "tls.crt", *subject], cwd=directory, check=True)
    pair = {name: (directory / name).read_bytes() for name in ("tls.key", "tls.crt")}
    return pair | {"ca.crt": pair["tls.crt"]}


@pytest.fixture
def load_as_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[..., Loaded]:
    """Load a ``waypost.yaml`` as its container would: every secret that it names is there, and other ``files``."""

    def load_as_deployed(text: str, files: Mapping[str, str] | None = None) -> Loaded:
        for path in re.findall(r"/run/secrets/[\w./-]+", text):
            file = tmp_path / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            secret = (
                request.getfixturevalue("certificate")[file.name] if "tls" in path else b"redis://:0123456789@r:1/0"
            )
            file.write_bytes(secret)
            file.chmod(0o600)
        for name, content in (files or {}).items():
            (tmp_path / name).write_text(content, "utf-8")
        monkeypatch.chdir(tmp_path)
        text = text.replace("/run/secrets/", f"{tmp_path}/run/secrets/")
        return loads(text, "waypost.yaml", {"WAYPOST_TOKEN": "0123456789abcdef"})

    return load_as_deployed
