from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from waypost.serve.tuning import SWITCH_INTERVAL, tune_process


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    interval = sys.getswitchinterval()
    monkeypatch.setattr(os, "environ", {})
    yield
    sys.setswitchinterval(interval)


def test_threads_take_turns_sooner() -> None:
    before = sys.getswitchinterval()
    tune_process()
    assert sys.getswitchinterval() == SWITCH_INTERVAL < before


def test_grpc_stays_out_of_forks() -> None:
    tune_process()
    assert os.environ["GRPC_ENABLE_FORK_SUPPORT"] == "0"


def test_what_an_operator_set_stays() -> None:
    mine = {"GRPC_ENABLE_FORK_SUPPORT": "1", "GRPC_EXPERIMENTS": "mine"}
    os.environ.update(mine)
    tune_process()
    assert mine.items() <= os.environ.items()
