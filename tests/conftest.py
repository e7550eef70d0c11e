"""Fixtures that several parts of the suite share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from waypost.config import schema


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test that needs the encoder may have to download and convert it."""
    for item in items:
        if "encoder_dir" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def encoder_dir() -> Path:
    """The bundled encoder in its usual place; made there when this machine does not have it."""
    from waypost.inference.prepare import location, prepare

    return prepare(location(), print)


@pytest.fixture(scope="session")
def encoder(encoder_dir: Path) -> Iterator:
    """The bundled encoder, loaded, with time enough for a busy machine."""
    from waypost.inference.encoder import OnnxEncoder

    loaded = OnnxEncoder.load(encoder_dir, schema.Encoder(deadline="60s"))
    yield loaded
    loaded.close()
