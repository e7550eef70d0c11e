"""The bill of materials of this installation: valid, and with everything that the lock files name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("cyclonedx")

REQUIREMENTS = Path(__file__).parents[3] / "requirements"


@pytest.fixture(scope="module")
def sbom(script):
    return script("sbom")


@pytest.fixture(scope="module")
def written(sbom, tmp_path_factory) -> str:
    target = tmp_path_factory.mktemp("build") / "deep" / "sbom.json"
    sbom.main(target)
    return target.read_text("utf-8")


def test_it_is_valid(written):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written) is None


def test_every_requirement_is_in_it(sbom, written):
    found = {component["name"]: component for component in json.loads(written)["components"]}
    wanted = [each for path in sbom.LOCKS for each in sbom.locked(path.read_text("utf-8"))]
    assert len(wanted) > 30
    for each in wanted:
        component = found[each.name]
        assert component["version"] == each.version
        assert component["purl"] == f"pkg:pypi/{each.name}@{each.version}"
        assert component["licenses"]
        assert {item["value"] for item in component["properties"]} == set(each.hashes) != set()


def test_no_requirement_is_overlooked(sbom):
    """Also by a reader that knows nothing of markers."""
    text = (REQUIREMENTS / "serve.txt").read_text("utf-8")
    pins = re.findall(r"^([a-z0-9-]+)==([^ ;]+) \\$", text, re.MULTILINE)
    found = {(each.name, each.version) for each in sbom.locked(text)}
    assert set(pins) <= found


def test_what_is_no_package_is_in_it_too(written):
    bill = json.loads(written)
    found = {component["name"]: component for component in bill["components"]}
    assert found["envoy"]["cpe"].startswith(f"cpe:2.3:a:envoyproxy:envoy:{found['envoy']['version']}:")
    manifest = json.loads((REQUIREMENTS.parent / "src/waypost/inference/weights/manifest.json").read_text("utf-8"))
    for file, facts in manifest["files"].items():
        component = found[f"{manifest['name']}/{file}"]
        assert component["type"] == "machine-learning-model"
        assert component["hashes"] == [{"alg": "SHA-256", "content": facts["sha256"]}]
        sources = {f"waypost:source:{each['name']}:{each['version']}" for each in manifest["sources"]}
        assert {item["name"] for item in component["properties"]} == sources
    (own,) = [each for each in bill["dependencies"] if each["ref"].startswith("pkg:pypi/waypost@")]
    assert any(ref.startswith("pkg:pypi/grpcio@") for ref in own["dependsOn"])


def test_an_installation_that_is_not_the_locked_one_is_refused(sbom, tmp_path, monkeypatch):
    lock = tmp_path / "serve.txt"
    lock.write_text("grpcio==0.0.1 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    monkeypatch.setattr(sbom, "LOCKS", (lock,))
    with pytest.raises(SystemExit, match=r"grpcio is .* here but 0\.0\.1 in the lock file"):
        sbom.bill()
