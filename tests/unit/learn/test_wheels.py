import hashlib
import importlib.util
from zipfile import ZipFile

import pytest

from waypost.errors import SetupError
from waypost.learn.wheels import Wheel, fetch


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """A directory of wheels that stands in for the package index; holds ``tiny-data`` 1.0."""
    directory = tmp_path / "wheels"
    directory.mkdir()
    with ZipFile(directory / "tiny_data-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("tiny_data/__init__.py", "raise SystemExit('imported')")
        archive.writestr("tiny_data-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\n")
        archive.writestr(
            "tiny_data-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny_data-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    return directory


@pytest.fixture
def wheel(offline):
    digest = hashlib.sha256(next(offline.glob("*.whl")).read_bytes()).hexdigest()
    return Wheel("tiny-data", "1.0", digest, "MIT", "nothing")


@pytest.fixture
def target(tmp_path):
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


def test_a_pinned_wheel_is_fetched_but_not_imported(wheel, target):
    paths = fetch([wheel], target)
    assert ZipFile(paths["tiny-data"]).namelist()[0] == "tiny_data/__init__.py"
    assert importlib.util.find_spec("tiny_data") is None


def test_another_file_under_the_same_name_is_refused(wheel, target):
    changed = Wheel(wheel.name, wheel.version, "0" * 64, wheel.licence, wheel.provides)
    with pytest.raises(SetupError, match=r"tiny-data 1\.0"):
        fetch([changed], target)
    assert not list(target.glob("*.whl"))


def test_a_wheel_that_cannot_be_had_says_what_to_do(offline, target):
    with pytest.raises(SetupError, match="PIP_FIND_LINKS") as caught:
        fetch([Wheel("no-such-package", "1.0", "0" * 64, "MIT", "nothing")], target)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_without_pip_it_says_how_to_get_it(wheel, target, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match="ensurepip"):
        fetch([wheel], target)
