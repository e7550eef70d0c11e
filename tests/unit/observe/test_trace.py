"""W3C Trace Context: what a client sends is taken up when it is sound, and replaced when it is not."""

from __future__ import annotations

import pytest

from waypost.observe.trace import follow, join

TRACE_ID, PARENT_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def ones(count: int) -> bytes:
    return b"\x11" * count


@pytest.mark.parametrize(("flags", "sampled"), [("01", True), ("00", False), ("03", True), ("02", False)])
def test_a_client_s_trace_goes_on_as_the_client_decided(flags, sampled):
    trace = join({"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-{flags}", "tracestate": "a=b"}, 0.0, ones)
    assert (trace.trace_id, trace.parent_id, trace.sampled) == (TRACE_ID, PARENT_ID, sampled)
    assert trace.set_headers == (("traceparent", f"00-{TRACE_ID}-{trace.upstream_id}-0{int(sampled)}"),)
    assert trace.remove_headers == ()


UNSOUND = [
    "",
    "nonsense",
    f"00-{TRACE_ID}-{PARENT_ID}",
    f"00-{TRACE_ID.upper()}-{PARENT_ID}-01",
    f"00-{'0' * 32}-{PARENT_ID}-01",
    f"00-{TRACE_ID}-{'0' * 16}-01",
    f"00-{TRACE_ID}-{PARENT_ID}-01-more",
    f"ff-{TRACE_ID}-{PARENT_ID}-01",
    f"00-{TRACE_ID}-{PARENT_ID}-01, 00-{TRACE_ID}-{PARENT_ID}-01",
]


@pytest.mark.parametrize("header", UNSOUND)
def test_an_unsound_one_begins_a_trace_and_takes_its_state_along(header):
    trace = join({"traceparent": header, "tracestate": "a=b"}, 1.0, ones)
    assert (trace.trace_id, trace.parent_id, trace.sampled) == ("11" * 16, "", True)
    assert trace.remove_headers == ("tracestate",)
    assert follow({"traceparent": header}, ones) is None


def test_a_later_version_is_read_as_far_as_it_is_known():
    trace = join({"traceparent": f"01-{TRACE_ID}-{PARENT_ID}-01-more"}, 0.0, ones)
    assert (trace.trace_id, trace.sampled) == (TRACE_ID, True)


@pytest.mark.parametrize(
    ("sample", "low_half", "sampled"),
    [(1.0, "ff", True), (0.0, "00", False), (0.5, "7f", True), (0.5, "80", False), (0.25, "3f", True)],
)
def test_the_share_is_decided_by_the_trace_s_own_id(sample, low_half, sampled):
    assert join({}, sample, lambda count: b"\x11" * (count - 8) + bytes.fromhex(low_half) * 8).sampled is sampled


def test_without_tracing_a_client_s_headers_stay_and_its_ids_are_known():
    trace = follow({"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01"}, ones)
    assert (trace.trace_id, trace.parent_id) == (TRACE_ID, PARENT_ID)
    assert (trace.set_headers, trace.remove_headers) == ((), ())
