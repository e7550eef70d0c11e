from pathlib import Path

import pytest

from waypost.config.find import embedded, places, resolve
from waypost.errors import ConfigError


@pytest.fixture
def environ(tmp_path) -> dict[str, str]:
    """Every place has a file; tests take away what they do not want."""
    for name in ("explicit.yaml", "named.yaml", "cwd/waypost.yaml", "xdg/waypost/waypost.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("version: 1\n")
    return {"WAYPOST_CONFIG": str(tmp_path / "named.yaml"), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}


def test_the_order_of_places(tmp_path, environ):
    cwd, explicit = tmp_path / "cwd", tmp_path / "explicit.yaml"
    assert resolve(explicit, demo=True, environ=environ, directory=cwd) == embedded("demo")
    assert resolve(explicit, environ=environ, directory=cwd) == explicit
    assert resolve(None, environ=environ, directory=cwd) == tmp_path / "named.yaml"
    del environ["WAYPOST_CONFIG"]
    assert resolve(None, environ=environ, directory=cwd) == cwd / "waypost.yaml"
    (cwd / "waypost.yaml").unlink()
    assert resolve(None, environ=environ, directory=cwd) == tmp_path / "xdg/waypost/waypost.yaml"


def test_no_file_anywhere_says_where_it_looked_and_what_to_do(tmp_path):
    with pytest.raises(ConfigError) as raised:
        resolve(None, environ={"HOME": str(tmp_path)}, directory=tmp_path / "cwd")
    assert str(raised.value) == (
        f"{tmp_path}/cwd/waypost.yaml not found, nor {tmp_path}/.config/waypost/waypost.yaml; "
        "write one with 'waypost config init', or try the embedded one with --demo"
    )


def test_a_named_file_that_is_absent_is_an_error_and_never_another_file(tmp_path, environ):
    with pytest.raises(ConfigError) as raised:
        resolve(tmp_path / "typo.yaml", environ=environ, directory=tmp_path / "cwd")
    assert str(raised.value) == f"{tmp_path}/typo.yaml does not exist"
    with pytest.raises(ConfigError) as raised:
        resolve(None, environ=environ | {"WAYPOST_CONFIG": "typo.yaml"}, directory=tmp_path / "cwd")
    assert str(raised.value) == f"{tmp_path}/cwd/typo.yaml does not exist (named by $WAYPOST_CONFIG)"
    with pytest.raises(ConfigError) as raised:
        resolve(tmp_path / "cwd", environ=environ, directory=tmp_path)
    assert str(raised.value) == f"{tmp_path}/cwd is a directory, not a file"


def test_an_empty_variable_counts_as_absent():
    assert places({"XDG_CONFIG_HOME": "", "HOME": "/home/me"}, Path("x")) == (
        Path("x/waypost.yaml"),
        Path("/home/me/.config/waypost/waypost.yaml"),
    )
