import json
import shutil

import numpy as np
import onnx
import pytest

from waypost.errors import SetupError
from waypost.inference.manifest import MANIFEST, MODEL, TOKENIZER, verify
from waypost.inference.recipe import WINDOW
from waypost.inference.session import Session
from waypost.learn.artefact import read
from waypost.learn.export import export, main
from waypost.learn.gate import BOUNDS, check, compare


def test_the_manifest_says_what_there_is(shipped_dir, trained_dir):
    manifest = verify(shipped_dir)
    assert set(manifest.files) == {MODEL, TOKENIZER}
    assert (manifest.dimensions, manifest.features) == (32, 0)
    assert [(head.name, head.over_windows) for head in manifest.heads] == [
        ("domain", "mean"),
        ("jailbreak", "most"),
        ("indirect", "worst"),
        ("pii", "spans"),
    ]
    assert manifest.gate["agreement.pii"] >= 0.97
    assert {source["licence"] for source in manifest.sources} == {"MIT"}


def test_one_pass_gives_every_head(shipped_dir):
    outputs = Session.load(shipped_dir / MODEL).run([0, 5, 6, 7, 2])
    shapes = {name: output.shape for name, output in outputs.items()}
    assert shapes == {"embedding": (32,), "domain": (2,), "jailbreak": (3,), "indirect": (2,), "pii": (5, 3)}


def test_the_graph_computes_the_heads_of_the_artefact(trained_dir, tmp_path):
    """Against the definition in ``artefact.py``, from the trunk's states."""
    from waypost.inference.architecture import Architecture
    from waypost.learn.fused import fused_graph

    artefact = read(trained_dir)
    shape = Architecture(32, 2, 4, 64, 100, 140)
    onnx.save(fused_graph(artefact.trunk, shape, artefact.heads, artefact.weights, exact=True), tmp_path / "heads.onnx")
    onnx.save(fused_graph(artefact.trunk, shape, (), {}, features=(1, 2), exact=True), tmp_path / "trunk.onnx")
    ids = [0, 9, 8, 7, 2]
    found, trunk = (Session.load(tmp_path / f"{name}.onnx").run(ids) for name in ("heads", "trunk"))
    domain = artefact.weights["domain.weight"] @ trunk["features"] + artefact.weights["domain.bias"]
    np.testing.assert_allclose(found["domain"], domain, atol=1e-4)
    np.testing.assert_allclose(found["embedding"], trunk["embedding"], atol=1e-5)


def test_places_beyond_a_window_are_left_out(shipped_dir):
    model = onnx.load(shipped_dir / MODEL)
    (places,) = (tensor for tensor in model.graph.initializer if tensor.name == "places")
    assert places.dims[0] == WINDOW + 2
    with_longest = Session.load(shipped_dir / MODEL).run([0] * (WINDOW + 2))
    assert np.isfinite(with_longest["embedding"]).all()


def test_calibration_goes_into_the_manifest(trained_dir, tmp_path):
    source = shutil.copytree(trained_dir, tmp_path / "source")
    calibration = {"jailbreak": {"temperature": 1.5, "threshold": 0.8, "method": "grid"}}
    (source / "calibration.json").write_text(json.dumps(calibration))
    manifest = export(source, tmp_path / "out", ["Call me at noon"], progress=print)
    assert (manifest.head("jailbreak").temperature, manifest.head("jailbreak").threshold) == (1.5, 0.8)
    assert (manifest.head("domain").temperature, manifest.head("domain").threshold) == (1.0, 0.5)


def test_a_model_that_quantisation_changed_is_refused(trained_dir, tmp_path, monkeypatch):
    monkeypatch.setitem(BOUNDS, "cosine", 1.1)
    with pytest.raises(SetupError, match=r"cosine is 0\.9"):
        export(trained_dir, tmp_path / "out", ["Call me at noon"], progress=print)
    assert not (tmp_path / "out" / MANIFEST).exists()


def test_a_directory_without_a_model_is_an_error_of_one_line(tmp_path, capsys):
    code = main(["--artefact", str(tmp_path), "--data", str(tmp_path), "--out", str(tmp_path / "out")])
    assert code == 3
    assert "no *.jsonl.gz" in capsys.readouterr().err


def test_figures_of_the_gate():
    exact = {"embedding": np.array([1.0, 0.0]), "pii": np.array([[1, 0], [0, 1]]), "domain": np.array([0, 1])}
    other = {"embedding": np.array([1.0, 0.0]), "pii": np.array([[1, 0], [1, 0]]), "domain": np.array([0, 1])}
    figures = compare([exact], [other])
    assert figures == {"texts": 1, "cosine": 1, "worst_cosine": 1, "agreement.pii": 0.5, "agreement.domain": 1}
    with pytest.raises(SetupError, match=r"agreement\.pii"):
        check(figures)
