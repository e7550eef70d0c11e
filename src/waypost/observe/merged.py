"""Metrics of several processes, told by one: the others count in files that this one reads at each scrape.

The files are those of prometheus_client's multiprocess mode, but named after the worker's place instead of its process
id: the successor of a worker that died goes on counting where it stopped, so nothing is lost and no counter falls.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from prometheus_client import values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

__all__ = ["SUMMED", "Merged", "count_in_files", "forget_gauges"]

SUMMED: Final = "livesum"
"""``multiprocess_mode`` of a gauge that adds up over the processes which live; any other gauge is told by the one."""

_Key = tuple[str, frozenset[tuple[str, str]]]


def count_in_files(place: int, directory: Path) -> None:
    """Keep what this process counts in ``directory``. Only before its first metric is made.

    ``place``: no two processes that live have the same.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]


def forget_gauges(place: int, directory: Path) -> None:
    """Forget the gauges of a process that has ended; what it counted stays."""
    mark_process_dead(place, str(directory))  # type: ignore[no-untyped-call]


class Merged(Collector):
    """What ``own`` tells, and in the same families what others have counted in ``directory``."""

    def __init__(self, own: Collector, directory: Path) -> None:
        self._own = own
        self._directory = directory

    def collect(self) -> Iterable[Metric]:
        """Add the same samples, and give the others beside them."""
        others = {family.name: family for family in self._others()}
        for family in self._own.collect():
            if theirs := others.pop(family.name, None):
                family.samples = list(_added(family.samples, theirs.samples))
            yield family
        yield from others.values()

    def _others(self) -> Iterable[Metric]:
        files = (str(file) for file in self._directory.glob("*.db") if _is_added(file.name))
        found: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return found


def _is_added(name: str) -> bool:
    return not name.startswith("gauge_") or name.startswith(f"gauge_{SUMMED}_")


def _added(own: Iterable[Sample], others: Iterable[Sample]) -> Iterator[Sample]:
    left = {_key(sample): sample for sample in others}
    for sample in own:
        other = left.pop(_key(sample), None)
        yield sample._replace(value=sample.value + other.value) if other else sample
    yield from left.values()


def _key(sample: Sample) -> _Key:
    return sample.name, frozenset(sample.labels.items())
