"""How long requests stay in a fleet of workers: a simulation of Poisson arrivals at servers with one queue each.

Each request goes to the less busy of two servers taken at random, which is what Envoy's LEAST_REQUEST does with its
default ``choice_count`` (Mitzenmacher, "The power of two choices in randomized load balancing", 2001); a server works
on one request at a time, in the order of arrival.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "mean_stay", "stays"]

Floats = NDArray[np.float64]

_WARM_UP: Final = 0.1
"""Share of the requests that find the fleet still empty and are not counted."""


def stays(services: Floats, servers: int, load: float, requests: int, random: np.random.Generator) -> Floats:
    """Seconds from arrival to end of each request, without those of the warm-up.

    ``services``: seconds of work, drawn from at random. ``load``: share of the time that a server is busy, below 1.
    """
    took = random.choice(services, requests)
    arrivals = np.cumsum(random.exponential(services.mean() / (load * servers), requests))
    first, second = random.integers(servers, size=(2, requests)).tolist()
    ends: list[deque[float]] = [deque() for _ in range(servers)]
    found = np.empty(requests)
    for number, (now, work) in enumerate(zip(arrivals.tolist(), took.tolist(), strict=True)):
        one, other = ends[first[number]], ends[second[number]]
        queue = one if _waiting(one, now) <= _waiting(other, now) else other
        end = (queue[-1] if queue else now) + work
        queue.append(end)
        found[number] = end - now
    return found[int(_WARM_UP * requests) :]


def _waiting(ends: deque[float], now: float) -> int:
    while ends and ends[0] <= now:
        ends.popleft()
    return len(ends)


def mean_stay(services: Floats, load: float) -> float:
    """Seconds that a request stays at one server on average, by the formula of Pollaczek and Khinchine.

    The simulation of a single server must agree with it.
    """
    mean = float(services.mean())
    return mean + load / mean * float((services**2).mean()) / (2 * (1 - load))
