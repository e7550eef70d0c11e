"""Addresses: what listens where, who can reach it, and what points back at us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from waypost.config.api import is_loopback
from waypost.config.checks.subject import Finding, Subject
from waypost.config.place import Place
from waypost.config.units import HostPort

__all__ = [
    "demo_is_reachable",
    "demo_is_used",
    "endpoints_are_not_the_router",
    "listeners_are_distinct",
    "passing_needs_buffering",
    "private_listeners_are_local",
    "something_is_routed",
]

_WILDCARDS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 (compared with, not bound to)
_PRIVATE: Final = {
    "extproc": "whoever reaches it can read the routing of any prompt",
}


def listeners_are_distinct(subject: Subject) -> Iterator[Finding]:
    """Allow one listener an address; port 0 is a different port each time."""
    seen: list[tuple[str, HostPort]] = []
    for place, address in _listeners(subject):
        other = next((name for name, taken in seen if address.port and _overlap(address, taken)), None)
        if other is not None:
            yield Finding(place, f"{address} is already taken by {other}")
        seen.append((".".join(map(str, place)), address))


def private_listeners_are_local(subject: Subject) -> Iterator[Finding]:
    """Warn of ExtProc on a network without client certificates, and refuse the API there without tokens."""
    for name, risk in _PRIVATE.items():
        address: HostPort = getattr(subject.config.listeners, name)
        if not is_loopback(address.host) and not _asks_for_certificates(subject):
            message = f"{address} is open to other machines: {risk}"
            yield Finding(("listeners", name), message, warning=True)
    api = subject.config.listeners.api
    if not is_loopback(api.host) and not subject.config.api.tokens:
        message = f"{api} is open to other machines: add api.tokens, or listen on 127.0.0.1"
        yield Finding(("listeners", "api"), message)


def _asks_for_certificates(subject: Subject) -> bool:
    tls = subject.config.tls.extproc
    return tls is not None and tls.client_ca is not None


def endpoints_are_not_the_router(subject: Subject) -> Iterator[Finding]:
    """Refuse the router's own address as an endpoint: a request would go round for ever."""
    http = subject.config.listeners.http
    for place, address, _ in _endpoints(subject):
        if _overlap(address, http):
            yield Finding(place, f"{address} is listeners.http, this router itself; name the model's own server")


def passing_needs_buffering(subject: Subject) -> Iterator[Finding]:
    """Refuse to pass requests on when a failing processor may already have swallowed a part of them."""
    envoy = subject.config.envoy
    if envoy.on_processor_failure == "pass" and envoy.request_body == "full_duplex_streamed":
        message = "pass works only with request_body: buffered: a streamed body may be lost with the processor"
        yield Finding(("envoy", "on_processor_failure"), message)


def demo_is_reachable(subject: Subject) -> Iterator[Finding]:
    """Refuse what cannot reach the demo server, which speaks plain HTTP at the root of a known port."""
    demo = subject.config.demo
    if demo is None:
        return
    if demo.listen.port == 0:
        yield Finding(("demo", "listen"), "needs a fixed port: endpoints point to it")
    for place, address, plain in _endpoints(subject):
        if _overlap(address, demo.listen) and not plain:
            yield Finding(place, f"the demo server is at http://{demo.listen}, without https and without a path")


def demo_is_used(subject: Subject) -> Iterator[Finding]:
    """Warn of a demo server that takes memory while no model points to it."""
    demo = subject.config.demo
    if demo is None or any(_overlap(address, demo.listen) for _, address, _ in _endpoints(subject)):
        return
    yield Finding(("demo",), f"no model has the endpoint http://{demo.listen}", warning=True, key=True)


def something_is_routed(subject: Subject) -> Iterator[Finding]:
    """Refuse to run without a virtual model when ``explicit_models: pass`` leaves nothing else to route."""
    routing = subject.config.routing
    if not routing.virtual_models and routing.explicit_models == "pass":
        place = ("routing", "virtual_models")
        yield Finding(place, "nothing would be routed: name a virtual model, or set explicit_models: route")


def _listeners(subject: Subject) -> Iterator[tuple[Place, HostPort]]:
    for name in type(subject.config.listeners).model_fields:
        yield ("listeners", name), getattr(subject.config.listeners, name)
    if subject.config.demo is not None:
        yield ("demo", "listen"), subject.config.demo.listen


def _endpoints(subject: Subject) -> Iterator[tuple[Place, HostPort, bool]]:
    for name, model in subject.config.models.items():
        for index, endpoint in enumerate(model.endpoints):
            plain = endpoint.scheme == "http" and not endpoint.path
            yield ("models", name, "endpoints", index, "url"), HostPort(endpoint.host, endpoint.port), plain


def _overlap(one: HostPort, other: HostPort) -> bool:
    hosts = {_canonical(one.host), _canonical(other.host)}
    # A wildcard takes the port on every address of this machine, which of the others surely has only the loopback.
    local = hosts & _WILDCARDS and all(host in _WILDCARDS or is_loopback(host) for host in hosts)
    return one.port == other.port and (len(hosts) == 1 or bool(local))


def _canonical(host: str) -> str:
    return "127.0.0.1" if host.casefold() == "localhost" else host.casefold()
