"""The audit fails for a vulnerability and for a mistake, and not because nobody could be asked."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parents[3] / "requirements"
OFFLINE = "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='db.example', port=443): refused"


@pytest.fixture(scope="module")
def audit(script):
    return script("audit")


@pytest.mark.parametrize(
    ("says", "code", "expected", "told", "times"),
    [
        ("No known vulnerabilities found", 0, 0, "No known vulnerabilities found", 2),
        ("Found 1 known vulnerability in 1 package", 1, 1, "Found 1 known", 2),
        ("ERROR:pip_audit._cli:requirement h11 is missing a hash", 1, 1, "missing a hash", 2),
        (f"Traceback (most recent call last):\\n  …\\n{OFFLINE}", 1, 0, "audit: not done, the database of", 1),
    ],
)
def test_what_becomes_of_an_answer(audit, capfd, says, code, expected, told, times):
    program = f"import sys; sys.stderr.write({says!r}.replace('\\\\n', chr(10))); sys.exit({code})"
    assert audit.main(sys.executable, "-c", program) == expected
    said = capfd.readouterr().err
    assert said.count(told) == times
    assert "Traceback" not in said


def test_every_lock_file_is_asked_about(audit, capfd):
    program = "import sys; sys.stderr.write(' '.join(sys.argv))"
    audit.main(sys.executable, "-c", program)
    seen = capfd.readouterr().err
    assert all(str(REQUIREMENTS / lock) in seen for lock in (*audit.LOCKS, *audit.UNHASHED))
    assert {lock.name for lock in REQUIREMENTS.glob("*.txt")} == {*audit.LOCKS, *audit.UNHASHED}
    assert "--require-hashes" in seen
