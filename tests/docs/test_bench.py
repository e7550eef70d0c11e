"""The scripts of bench/ are of the same time as what they measure."""

from __future__ import annotations

import subprocess
import sys

import pytest

IMPORT_ALL = """
import importlib, pathlib
own = {path.stem for path in pathlib.Path().glob("*.py")}
for name in sorted(own):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name.partition(".")[0]
        assert missing not in own | {"waypost"}, (name, missing)
        print(name, "needs", missing)
"""


def test_every_script_can_be_imported(root) -> None:
    if not (root / "bench").is_dir():
        pytest.skip("no bench/ beside the tests")
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], check=False, capture_output=True, text=True, cwd=root / "bench"
    )
    assert run.returncode == 0, run.stderr
