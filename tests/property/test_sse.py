"""However a stream is cut, its events are the same."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from waypost.wire.sse import SseReader

pieces = st.sampled_from(
    [
        b"data",
        b":",
        b" ",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"data: ",
        b"\xef\xbb\xbf",
        b"id: 1",
        "数".encode(),
        b"x" * 9,
        b"\x0b",
    ]
)
streams = st.lists(pieces | st.binary(max_size=4), max_size=40).map(b"".join)


def events(chunks: list[bytes], max_event: int) -> list[bytes]:
    reader = SseReader(max_event=max_event)
    return [event for chunk in chunks for event in reader.feed(chunk)] + reader.finish()


@given(streams, st.lists(st.integers(0, 200)), st.sampled_from([8, 20, 2**20]))
def test_cuts_make_no_difference(stream: bytes, cuts: list[int], max_event: int) -> None:
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(places)]
    whole = events([stream], max_event)
    assert events(chunks, max_event) == whole
    assert events([bytes([byte]) for byte in stream], max_event) == whole


lines = st.binary(max_size=6).map(lambda line: line.translate(None, b"\r\n"))


@given(st.lists(st.lists(lines, min_size=1)), st.sampled_from([b"\n", b"\r", b"\r\n"]))
def test_what_is_written_is_read(wanted: list[list[bytes]], end: bytes) -> None:
    stream = b"".join(b"".join(b"data: " + line + end for line in event) + end for event in wanted)
    assert events([stream], 2**20) == [b"\n".join(event) for event in wanted]
