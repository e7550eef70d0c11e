import numpy as np
import pytest

from waypost.cache.entry import Entry

QUESTION = "Was ist “das”?\n😀"
VECTOR = np.array([0.6, 0.8], np.float16)
ENTRY = Entry("e", "p", QUESTION, b'{"a":\n1}', "chat", 1000.0, 60.0, "math", "m", "owner", VECTOR)


@pytest.mark.parametrize("entry", [ENTRY, ENTRY.without_vector()])
def test_what_is_written_is_read(entry):
    again = Entry.parse(entry.dump())
    assert again.dump() == entry.dump()
    assert (again.question, again.body, again.expires) == (entry.question, entry.body, 1060.0)
    assert (again.vector is None) == (entry.vector is None)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]\n", b'{"vector":2}\n', b"\xff\n", ENTRY.dump()[:-12]])
def test_what_is_no_entry_is_refused(data):
    with pytest.raises(ValueError):
        Entry.parse(data)


def test_age_counts_whole_seconds_and_never_backwards():
    assert ENTRY.age(1059.9) == 59
    assert ENTRY.age(990.0) == 0


def test_size_counts_all_parts():
    assert ENTRY.size > ENTRY.without_vector().size > len(ENTRY.body)
