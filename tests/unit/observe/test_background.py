"""The queue beside the requests: it never blocks, loses nothing silently, and survives what fails."""

from __future__ import annotations

import logging
import threading

import pytest

from waypost.observe.background import Background


@pytest.fixture
def lost() -> list[int]:
    return []


def test_all_that_is_offered_is_taken_in_order(lost):
    taken: list[int] = []
    background = Background("test", taken.extend, size=10_000, lost=lost.append)
    for number in range(5_000):
        background.offer(number)
    background.close(30)
    assert taken == list(range(5_000))
    assert lost == []


def test_a_full_queue_drops_and_counts(lost):
    started, go_on, taken = threading.Event(), threading.Event(), []

    def take(batch: list[int]) -> None:
        started.set()
        assert go_on.wait(30)
        taken.extend(batch)

    background = Background("test", take, size=2, lost=lost.append)
    background.offer(1)
    assert started.wait(30)
    for number in (2, 3, 4, 5):
        background.offer(number)
    go_on.set()
    background.close(30)
    assert (lost, taken) == ([1, 1], [1, 2, 3])


def test_after_its_end_everything_is_lost(lost):
    background = Background("test", print, size=2, lost=lost.append)
    background.close(30)
    background.offer(1)
    assert lost == [1]


def test_a_batch_that_fails_is_lost_and_the_next_is_not(lost, caplog):
    taken: list[int] = []
    failed = threading.Event()

    def take(batch: list[int]) -> None:
        if not failed.is_set():
            failed.set()
            raise OSError("disk full")
        taken.extend(batch)

    background = Background("test", take, size=10, lost=lost.append)
    with caplog.at_level(logging.WARNING, "waypost"):
        background.offer(1)
        assert failed.wait(30)
        background.offer(2)
        background.close(30)
    assert (lost, taken) == ([1], [2])


def test_it_may_be_closed_again(lost):
    background = Background("test", print, size=1, lost=lost.append)
    background.close(30)
    background.close(30)
