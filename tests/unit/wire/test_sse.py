import pytest

from waypost.wire.sse import SseReader


def events(stream: bytes, **limits: int) -> list[bytes]:
    reader = SseReader(**limits)
    return [*reader.feed(stream), *reader.finish()]


@pytest.mark.parametrize(
    "stream, expected",
    [
        # the standard's own examples
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [b"YHOO\n+2\n10"]),
        (b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third\n\n",
         [b"first event", b"second event", b" third"]),
        (b"data\n\ndata\ndata\n\ndata:\n\n", [b"", b"\n", b""]),
        (b"data:test\n\ndata: test\n\n", [b"test", b"test"]),
        # line ends
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [b"a", b"b", b"c"]),
        (b"data: a\r\ndata: b\rdata: c\n\r\n", [b"a\nb\nc"]),
        (b"data: a\x0bb\x0cc\x1c\n\n", [b"a\x0bb\x0cc\x1c"]),
        # what is not data
        (b"event: ping\n\nretry: 10\n\n: keep-alive\n\n", []),
        (b"event: x\ndata: a\nunknown: y\nDATA: z\ndatum: w\n\n", [b"a"]),
        (b"data: a:b: c\n\n", [b"a:b: c"]),
        # a byte order mark counts as one at the start only
        (b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", [b"a"]),
        # the end of the stream
        (b"", []),
        (b"\n\n\n", []),
        (b"data: a\n\ndata: [DONE]\n", [b"a", b"[DONE]"]),
        (b"data: a\n\ndata: [DONE]", [b"a", b"[DONE]"]),
        (b"data: a\r", [b"a"]),
        ("data: 数学\n\n".encode(), ["数学".encode()]),
    ],
)  # fmt: skip
def test_streams(stream: bytes, expected: list[bytes]) -> None:
    assert events(stream) == expected


def test_an_event_is_given_as_soon_as_it_is_complete() -> None:
    reader = SseReader()
    assert reader.feed(b"data: a\r\n\r") == [b"a"]
    assert reader.feed(b"\ndata: b") == []
    assert reader.feed(b"") == []
    assert reader.feed(b"c\n") == []
    assert reader.feed(b"\n") == [b"bc"]
    assert reader.finish() == []


@pytest.mark.parametrize(
    "oversized",
    [b"data: " + b"x" * 40 + b"\n\n", b"data: 12345678\n" * 5 + b"\n", b": " + b"x" * 40 + b"\ndata: a\n\n"],
    ids=["line", "event", "comment"],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_oversized_event_is_dropped_and_the_next_is_read(oversized: bytes, size: int) -> None:
    stream = b"data: before\n\n" + oversized + b"data: after\n\n"
    reader = SseReader(max_event=32)
    found = [event for at in range(0, len(stream), size) for event in reader.feed(stream[at : at + size])]
    assert found == [b"before", b"after"]


def test_an_oversized_event_at_the_end_is_dropped() -> None:
    assert events(b"data: " + b"x" * 40, max_event=32) == []
