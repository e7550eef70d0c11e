"""The program of a worker: ``python -m waypost.serve.workers.worker PLACE``, with the channel as standard input."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from typing import Any

from waypost.serve.tuning import tune_process

__all__: list[str] = []

_RESOURCE = "OTEL_RESOURCE_ATTRIBUTES"


def _main(place: int) -> int:
    channel = _taken_from_stdin()
    tune_process()
    from waypost.serve.loop import loop_factory
    from waypost.serve.workers.serving import serve

    _sign(place)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(serve(channel, place))


def _taken_from_stdin() -> socket.socket:
    """Take the channel away from where anything else may read or write."""
    channel = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return channel


def _sign(place: int) -> None:
    """Write the worker's number into every log line and every trace."""
    made = logging.getLogRecordFactory()

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - whatever logging passes
        record = made(*args, **kwargs)
        record.worker = place
        return record

    logging.setLogRecordFactory(make)
    known = os.environ.get(_RESOURCE)
    os.environ[_RESOURCE] = ",".join(filter(None, (known, f"waypost.worker={place}")))


if __name__ == "__main__":
    sys.exit(_main(int(sys.argv[1])))
