"""What is made once: complete or not at all, by one process at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from waypost.errors import SetupError
from waypost.inference.manifest import MANIFEST
from waypost.inference.once import home, make_once


class Maker:
    """Makes a directory with a manifest and a file; remembers how often."""

    def __init__(self):
        self.calls = 0

    def make(self, made):
        self.calls += 1
        for name in (MANIFEST, "model"):
            (made / name).write_text("good")

    def is_ready(self, target):
        return all((target / name).is_file() and (target / name).read_text() == "good" for name in (MANIFEST, "model"))

    def __call__(self, target, progress=print):
        return make_once(target, is_ready=self.is_ready, make=self.make, progress=progress)


@pytest.fixture
def once():
    return Maker()


def test_the_directory_is_complete(tmp_path, once):
    target = once(tmp_path / "deep" / "thing")
    assert {path.name for path in target.iterdir()} == {MANIFEST, "model"}
    assert {path.name for path in target.parent.iterdir()} == {"thing", "thing.lock"}


def test_it_is_made_once(tmp_path, once):
    assert once(tmp_path / "thing") == once(tmp_path / "thing")
    assert once.calls == 1


@pytest.mark.parametrize("damaged", [MANIFEST, "model"])
def test_what_was_damaged_is_made_again(tmp_path, once, damaged):
    target = once(tmp_path / "thing")
    (target / damaged).write_text("bad")
    assert once.is_ready(once(target))
    assert once.calls == 2


def test_two_at_once_make_it_once(tmp_path, once, monkeypatch):
    started, waited = threading.Event(), threading.Event()
    make = once.make

    def slow(made):
        started.set()
        assert waited.wait(30)
        make(made)

    monkeypatch.setattr(once, "make", slow)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(once, tmp_path / "thing")
        assert started.wait(30)
        second = threads.submit(once, tmp_path / "thing", lambda line: waited.set() if "waiting" in line else None)
        assert first.result(30) == second.result(30)
    assert once.calls == 1


def test_a_failure_leaves_nothing_and_can_be_repeated(tmp_path, once, monkeypatch):
    def fail(made):
        (made / "model").touch()
        raise SetupError("no memory")

    with monkeypatch.context() as broken:
        broken.setattr(once, "make", fail)
        with pytest.raises(SetupError, match="no memory"):
            once(tmp_path / "thing")
    assert [path.name for path in tmp_path.iterdir()] == ["thing.lock"]
    assert once.is_ready(once(tmp_path / "thing"))


def test_what_a_killed_run_left_is_removed(tmp_path, once):
    (tmp_path / ".thing-abc").mkdir()
    once(tmp_path / "thing")
    assert not (tmp_path / ".thing-abc").exists()


def test_a_directory_of_something_else_is_not_touched(tmp_path, once):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(SetupError, match="something else"):
        once(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_place_that_cannot_be_written_is_a_setup_error(tmp_path, once):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="WAYPOST_HOME"):
        once(tmp_path / "file" / "thing")


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
