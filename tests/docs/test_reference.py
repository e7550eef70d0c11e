"""The hand-written reference pages name what exists, all of it, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import waypost
from waypost.observe.metrics import Metrics
from waypost.serve.envoy.files import prepare, validate
from waypost.serve.envoy.listener import INTERNAL_HEADERS
from waypost.serve.envoy.replies import local_replies
from waypost.types import Decision, Selection, SignalResult, ToolChoice
from waypost.wire import headers

SOURCE = Path(waypost.__file__).parent


@pytest.fixture(scope="module")
def reference(root):
    return lambda name: (root / "docs" / "reference" / name).read_text("utf-8")


def test_metrics(reference) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", reference("metrics.md"), re.MULTILINE)
    documented = {(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    exposed = set()
    for collector in set(Metrics().registry._collector_to_names):
        name = f"{collector._name}_total" if collector._type == "counter" else collector._name
        exposed.add((name, collector._type, tuple(collector._labelnames)))
    assert documented == exposed


def test_headers(reference) -> None:
    page = reference("headers.md")
    decision = Decision("math", ("because",), 1.0, ("another",))
    selection = Selection("m", 1.0, "best", reasoning=True)
    signals = {"KIND": SignalResult("KIND", frozenset({"x"}))}
    said = [
        *headers.for_backend(decision, selection, "math"),
        *headers.for_client(decision, selection, "math", system_prompt=True),
        *headers.for_debugging(decision, selection, signals),
        *headers.for_tools(ToolChoice("add", 1, unknown="late"), ("a",), 0.9, 0.01),
    ]
    names = {name for name, _ in said} | {headers.DEBUG, headers.DESTINATION, headers.SERVER_TIMING, *INTERNAL_HEADERS}
    names.update(headers.GUARDS)
    missing = {name for name in names if not re.search(rf"`{name}[`:]", page)}
    assert not missing
    assert set(re.findall(r"`(x-(?:vsr|selected|gateway)[\w-]*)", page)) <= names


def test_error_codes(reference) -> None:
    documented = set(re.findall(r"^\| [\d, ]+ \| `(\w+)`", reference("errors.md"), re.MULTILINE))
    replies = {mapper["body_format_override"]["json_format"]["error"]["code"] for mapper in local_replies()["mappers"]}
    written = (*sorted((SOURCE / "wire").glob("*.py")), SOURCE / "errors.py")
    raised = {code for path in written for code in re.findall(r'code="(\w+)"', path.read_text("utf-8"))}
    late = set(re.findall(r'"server_error", "(\w+)"', (SOURCE / "serve/extproc/server.py").read_text("utf-8")))
    refusals = (SOURCE / "guard/refusal.py").read_text("utf-8")
    refused = set(re.findall(r'"(\w+_(?:detected|checked|unavailable))"', refusals))
    assert documented == (replies - {None}) | raised | late | refused


def test_the_restart_keys(root) -> None:
    """What a reload refuses is what the page says."""
    from waypost.config import restart
    from waypost.config.place import dotted

    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \|$", (root / "docs/how-to/reload.md").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"`([\w.]+)`", " ".join(rows))) == {dotted(place) for place in restart._FIXED}


def test_envoy_takes_the_configuration_beside_its_own(pages, tmp_path_factory) -> None:
    (block,) = [block for page in pages for block in page.blocks("yaml envoy")]
    validate(prepare(tmp_path_factory.mktemp("e")), yaml.safe_load(block.text))


def test_the_threat_model_names_tests_that_exist(root) -> None:
    named = 0
    for row in (root / "THREAT_MODEL.md").read_text("utf-8").splitlines():
        path = ""
        for file, name in re.findall(r"`([\w/]*(?:\.py)?)::(\w+)`", row):
            path, named = file or path, named + 1
            assert re.search(rf"def {name}\b", (root / "tests" / path).read_text("utf-8")), f"{path}::{name}"
    assert named
