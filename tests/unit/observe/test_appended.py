"""Several processes append to one file: every line whole, none lost, whoever puts the file aside."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections import deque

import pytest

from waypost.observe.appended import AppendedFile

TURNS, LINES, SIZE = 60, 5, 4096

WRITER = """
import sys
from pathlib import Path
from waypost.observe.appended import AppendedFile

path, writer, turns, lines, size = Path(sys.argv[1]), *map(int, sys.argv[2:])
file = AppendedFile(path, files=1000)
for turn in range(turns):
    with file.turn():
        for line in range(lines):
            if file.size >= size:
                file.rotate()
            file.append(b"%d %d %s\\n" % (writer, turn * lines + line, b"x" * (writer * 97 + line)))
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lines"


@pytest.fixture
def file(path):
    file = AppendedFile(path, files=1)
    yield file
    file.close()


def content(path) -> list[bytes]:
    return [line for each in path.parent.iterdir() for line in each.read_bytes().splitlines()]


def test_lines_of_several_processes_stay_whole(tmp_path, path):
    command = [sys.executable, "-c", WRITER, path]
    writers = [subprocess.Popen([*command, *map(str, (n, TURNS, LINES, SIZE))]) for n in range(1, 4)]
    assert [each.wait(60) for each in writers] == [0, 0, 0]
    found = [tuple(line.split()) for line in content(path)]
    wanted = {(b"%d" % writer, b"%d" % number) for writer in range(1, 4) for number in range(TURNS * LINES)}
    assert len(found) == len(wanted)
    assert {line[:2] for line in found} == wanted
    assert all(len(line[2]) == int(line[0]) * 97 + int(line[1]) % LINES for line in found)
    assert max(each.stat().st_size for each in tmp_path.iterdir()) < SIZE + 400


def test_a_file_that_somebody_took_away_is_made_anew(tmp_path, path, file):
    path.rename(tmp_path / "taken")
    before = file.generation
    with file.turn():
        file.append(b"one\n")
    assert path.read_bytes() == b"one\n"
    assert file.generation != before


def test_a_full_disk_leaves_no_half_line(path, file, monkeypatch):
    with file.turn():
        file.append(b"one\n")
    real, before = file._file, file.generation

    class Full:
        """Takes half of what it is given."""

        def write(self, data: bytes) -> int:
            return real.write(data[: len(data) // 2])

        def __getattr__(self, name: str):
            return getattr(real, name)

    monkeypatch.setattr(file, "_file", Full())
    with pytest.raises(OSError) as failure, file.turn():
        file.append(b"two\n")
    assert failure.value.errno == errno.ENOSPC
    monkeypatch.setattr(file, "_file", real)
    assert file.generation != before
    with file.turn():
        file.append(b"three\n")
    assert path.read_bytes() == b"one\nthree\n"


def test_a_turn_that_fails_writes_nothing_and_says_so(path, file):
    before = file.generation

    def lines():
        yield b"one\n"
        raise ValueError("no line")

    with pytest.raises(ValueError, match="no line"), file.turn():
        deque(map(file.append, lines()))
    assert file.generation != before
    with file.turn():
        file.append(b"two\n")
    assert path.read_bytes() == b"two\n"
