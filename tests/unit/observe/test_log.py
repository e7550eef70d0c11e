"""Log lines."""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime

import pytest

from waypost.config.schema import Logs
from waypost.observe import log


@pytest.fixture(autouse=True)
def as_it_was():
    logger = logging.getLogger("waypost")
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before


@pytest.fixture
def lines(capsys):
    """What was written to stderr, by lines; nothing may be written to stdout."""

    def read() -> list[str]:
        out, err = capsys.readouterr()
        assert out == ""
        return err.splitlines()

    return read


logger = logging.getLogger("waypost.somewhere")


def test_people_read_lines(lines):
    log.configure(Logs())
    logger.info("reloaded %s", "it", extra={"digest": "abc", "n": 1})
    (line,) = lines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} INFO    reloaded it digest=abc n=1", line)


def test_machines_read_json(lines):
    log.configure(Logs(format="json"))
    logger.warning("%s ist kaputt", "Straße", extra={"digest": "abc", "path": logging})
    (line,) = lines()
    found = json.loads(line)
    assert datetime.fromisoformat(found.pop("time")).utcoffset().total_seconds() == 0
    assert found == {
        "level": "warning",
        "logger": "waypost.somewhere",
        "message": "Straße ist kaputt",
        "digest": "abc",
        "path": str(logging),
    }
    assert "Straße" in line


@pytest.mark.parametrize("shape", ["text", "json"])
def test_an_exception_is_told_where_it_was(lines, shape):
    log.configure(Logs(format=shape))
    try:
        raise ZeroDivisionError("oops")
    except ZeroDivisionError:
        logger.exception("failed")
    found = lines()
    if shape == "json":
        (line,) = found
        found = json.loads(line)["exception"].splitlines()
    assert found[-1] == "ZeroDivisionError: oops"
    assert "Traceback (most recent call last):" in found


@pytest.mark.parametrize(("level", "expected"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_a_bound(lines, level, expected):
    log.configure(Logs(level=level))
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logger.log(number, "said")
    assert len(lines()) == expected


def test_configuring_again_replaces_and_never_doubles(lines):
    log.configure(Logs())
    log.configure(Logs(format="json"))
    log.configure(Logs(format="json"))
    logger.info("once")
    (line,) = lines()
    assert json.loads(line)["message"] == "once"
