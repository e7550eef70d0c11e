import pytest

from waypost.errors import SetupError
from waypost.inference.manifest import HeadFacts, Manifest


def test_the_threshold_is_the_operators_else_the_models():
    manifest = Manifest(
        "r", 2, 0, (), "", "", "", (), {}, heads=(HeadFacts("jailbreak", ("a",), "most", threshold=0.7),)
    )
    assert manifest.threshold("jailbreak") == 0.7
    assert manifest.threshold("jailbreak", 0.0) == 0.0
    with pytest.raises(SetupError, match="no classifier for pii"):
        manifest.threshold("pii", 0.5)
