from __future__ import annotations

import sys

from waypost.serve.tuning import SWITCH_INTERVAL, tune_process


def test_threads_take_turns_sooner() -> None:
    before = sys.getswitchinterval()
    try:
        tune_process()
        assert sys.getswitchinterval() == SWITCH_INTERVAL < before
    finally:
        sys.setswitchinterval(before)
