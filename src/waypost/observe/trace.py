"""W3C Trace Context: taking up a client's trace, or beginning one, and handing it on to the backend.

https://www.w3.org/TR/trace-context-1/. What the header says is not trusted further than its form: an odd one begins
a new trace, and its ``tracestate`` goes with it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Final

from waypost.types import Trace

__all__ = ["TRACEPARENT", "TRACESTATE", "follow", "join"]

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

_FORM: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED: Final = 1
_RATIO_BITS: Final = 64
_ZERO_TRACE: Final = "0" * 32
_ZERO_SPAN: Final = "0" * 16


def follow(headers: Mapping[str, str], random: Callable[[int], bytes] = os.urandom) -> Trace | None:
    """Only note the trace that a client sends, for the logs: its headers pass untouched. None without a sound one."""
    parent = _parent(headers.get(TRACEPARENT, ""))
    if parent is None:
        return None
    trace_id, parent_id, flags = parent
    return Trace(trace_id, random(8).hex(), parent_id, parent_id, sampled=bool(flags & _SAMPLED))


def join(headers: Mapping[str, str], sample: float, random: Callable[[int], bytes] = os.urandom) -> Trace:
    """Take up the client's trace, or begin one that is sampled with the probability ``sample``.

    The choice rests on the trace's own id, as OpenTelemetry's ``TraceIdRatioBased`` makes it, so that every service
    of one trace chooses alike. ``random`` gives that many random bytes.
    """
    parent = _parent(headers.get(TRACEPARENT, ""))
    if parent is None:
        trace_id, parent_id = random(16).hex(), ""
        sampled = int(trace_id[16:], 16) < round(sample * 2**_RATIO_BITS)
        stale = (TRACESTATE,) if TRACESTATE in headers else ()
    else:
        trace_id, parent_id, flags = parent
        sampled, stale = bool(flags & _SAMPLED), ()
    upstream_id = random(8).hex()
    onward = f"00-{trace_id}-{upstream_id}-{int(sampled):02x}"
    return Trace(trace_id, random(8).hex(), upstream_id, parent_id, sampled, ((TRACEPARENT, onward),), stale)


def _parent(header: str) -> tuple[str, str, int] | None:
    """Trace id, span id and flags; None when the header is not there or not as the specification wants it."""
    found = _FORM.fullmatch(header.strip())
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    later_version = version not in ("00", "ff")
    if version == "ff" or (more and not later_version) or trace_id == _ZERO_TRACE or span_id == _ZERO_SPAN:
        return None
    return trace_id, span_id, int(flags, 16)
