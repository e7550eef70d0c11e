"""The plain manifests, built by kustomize: right in themselves, and the same as the chart's."""

from __future__ import annotations

import pytest
import yaml

SAME = {"base": "", "overlays/production": "production", "overlays/extproc-only": "extproc-only"}
"""A directory, and the values of the chart that say the same."""


def one(documents, kind):
    (found,) = [document for document in documents if document["kind"] == kind]
    return found


def test_every_overlay_is_tried(root) -> None:
    kubernetes = root / "deploy" / "kubernetes"
    overlays = {path.parent.relative_to(kubernetes) for path in (kubernetes / "overlays").glob("*/kustomization.yaml")}
    assert {str(overlay) for overlay in overlays} | {"base"} == set(SAME)


@pytest.mark.parametrize("directory", SAME)
def test_every_document_is_what_kubernetes_takes(build, require_valid, require_coherent, directory) -> None:
    documents = build(directory)
    for document in documents:
        require_valid(document)
    require_coherent(documents)


@pytest.mark.parametrize("directory", SAME)
def test_the_configuration_is_one_that_waypost_takes(build, load_as_deployed, directory) -> None:
    assert load_as_deployed(one(build(directory), "ConfigMap")["data"]["waypost.yaml"]).config.models


@pytest.mark.parametrize("directory", SAME)
def test_a_pod_lives_until_its_answers_ended(build, load_as_deployed, outlives, directory) -> None:
    documents = build(directory)
    outlives(one(documents, "Deployment"), load_as_deployed(one(documents, "ConfigMap")["data"]["waypost.yaml"]).config)


@pytest.mark.parametrize("directory", SAME)
def test_the_chart_says_the_same(build, render, value_sets, directory) -> None:
    mine, charts = build(directory), render(value_sets[SAME[directory]])
    assert {document["kind"] for document in mine} == {document["kind"] for document in charts}
    for document in mine:
        assert comparable(document) == comparable(one(charts, document["kind"])), document["kind"]


def comparable(document):
    """Without what only Helm writes; configurations by their values."""
    if document["kind"] == "ConfigMap":
        return {name: yaml.safe_load(text) for name, text in document["data"].items()}
    document = {key: value for key, value in document.items() if key != "metadata"} | {
        "name": document["metadata"]["name"]
    }
    if document["kind"] == "Deployment":
        template = document["spec"]["template"]
        template["metadata"].get("annotations", {}).pop("checksum/config", None)
        (container,) = template["spec"]["containers"]
        lists = [*(container[key] for key in ("ports", "volumeMounts")), template["spec"]["volumes"]]
        template["metadata"] = {"labels": template["metadata"]["labels"]}
    else:
        lists = [document["spec"]["ports"]] if document["kind"] == "Service" else []
    for items in lists:
        items.sort(key=lambda item: item["name"])  # kustomize puts what an overlay adds before the rest
    return document


def test_the_name_of_the_configuration_stays(build) -> None:
    """A suffix would start new pods for every change, where a reload does."""
    for directory in SAME:
        assert one(build(directory), "ConfigMap")["metadata"]["name"] == "waypost"


def test_alerts_are_those_of_prometheus(build, alert_groups) -> None:
    rule = one(build("overlays/production"), "PrometheusRule")
    assert rule["spec"]["groups"] == alert_groups, "run python deploy/kubernetes/prometheusrule.py"
