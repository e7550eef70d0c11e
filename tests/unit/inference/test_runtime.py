import os
import re
import subprocess
import sys
from pathlib import Path

import waypost

LOAD = """
from waypost.config.schema import Encoder
from waypost.inference.encoder import OnnxEncoder
from waypost.inference.manifest import SHIPPED
OnnxEncoder.load(SHIPPED, Encoder()).close()
"""


def test_the_encoder_gathers_no_telemetry(tmp_path):
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    subprocess.run([sys.executable, "-c", LOAD], check=True, env=environ | {"HOME": str(tmp_path)}, timeout=60)
    assert list(tmp_path.rglob("*")) == []


def test_only_one_module_imports_the_library():
    source = Path(waypost.__file__).parent
    importing = re.compile(r"^ *(import|from) onnxruntime", re.MULTILINE)
    assert [path.name for path in source.rglob("*.py") if importing.search(path.read_text())] == ["runtime.py"]
