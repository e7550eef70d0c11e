import sys

import pytest

from waypost.errors import SetupError
from waypost.inference.huggingface.source import locate

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub cache laid out by hand, as a download leaves it: refs, blobs and snapshots of links; no network."""
    constants = pytest.importorskip("huggingface_hub.constants", reason="needs the extra models")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def store(repository, files, revision="main"):
        root = tmp_path / "hub" / f"models--{repository.replace('/', '--')}"
        snapshot = root / "snapshots" / COMMIT
        for directory in (snapshot, root / "blobs", root / "refs"):
            directory.mkdir(parents=True)
        (root / "refs" / revision).write_text(COMMIT)
        for number, (name, content) in enumerate(files.items()):
            (root / "blobs" / str(number)).write_text(content)
            (snapshot / name).symlink_to(root / "blobs" / str(number))
        return snapshot

    return store


def test_a_directory_wins_over_a_hub_id(tmp_path, monkeypatch):
    (tmp_path / "org" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert locate("org/model").path == tmp_path / "org" / "model"


def test_a_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "m").mkdir()
    assert locate("~/m").path == tmp_path / "m"


@pytest.mark.parametrize("revision, stored", [(None, "main"), ("v2", "v2"), (COMMIT, "main")])
def test_an_id_is_found_in_the_hub_s_cache(revision, stored, hub):
    snapshot = hub("org/model", {"config.json": "{}"}, stored)
    folder = locate("org/model", revision)
    assert folder.path == snapshot
    assert folder.json("config.json") == {}


def test_only_data_is_asked_for(monkeypatch, tmp_path):
    hub = pytest.importorskip("huggingface_hub", reason="needs the extra models")
    asked = {}
    monkeypatch.setattr(hub, "snapshot_download", lambda model, **rest: asked.update(rest) or str(tmp_path))
    locate("org/model", "v1")
    assert asked == {"revision": "v1", "allow_patterns": ["*.json", "*.safetensors"]}


@pytest.mark.parametrize(
    "model, revision, message",
    [
        ("org/none", None, "'org/none' is no directory here, and could not be had from the hub: "),
        ("org/none", "v9", "could not be had from the hub at revision v9: "),
    ],
)
def test_what_the_hub_does_not_have_is_one_line(model, revision, message, hub):
    with pytest.raises(SetupError, match=message) as error:
        locate(model, revision)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("model", ["/no/such", "./none", "../none", "~/none"])
def test_a_missing_directory_is_not_looked_for_on_the_hub(model):
    with pytest.raises(SetupError, match="there is no directory"):
        locate(model)


@pytest.mark.parametrize("model", ["name", "a/b/c", "https://hub/x", "org/-x"])
def test_neither_a_directory_nor_an_id(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SetupError, match="neither a directory here nor the id"):
        locate(model)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(SetupError, match=r"huggingface_hub is needed .* pip install 'waypost\[models\]'"):
        locate("org/model")
