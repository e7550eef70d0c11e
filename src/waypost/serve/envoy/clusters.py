"""One Envoy cluster a model, one for our processors, and one for addresses that the processor names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from waypost.config.schema import Config, Endpoint, Envoy, HealthCheck, Model, OutlierDetection
from waypost.config.units import HostPort
from waypost.serve.envoy.names import (
    EXTPROC,
    ORIGINAL_DST,
    Block,
    backend_path,
    cluster_name,
    seconds,
    type_url,
)
from waypost.serve.envoy.routes import by_destination
from waypost.serve.envoy.trust import to_processors, upstream_tls
from waypost.serve.ports import is_ip
from waypost.wire.headers import DESTINATION

__all__ = ["BUFFER", "clusters"]

_HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_IDLE: Final = 4.0
"""Seconds. uvicorn, and so vLLM, drops an idle connection after 5 s; we must drop it first or lose a request to it."""
_CHECK_INTERVAL: Final = 1.0
_RETURN_INTERVAL: Final = 0.25
"""Seconds between the checks of a worker that is down. Until it is asked again, another's end would leave none."""
_CHECK_TIMEOUT: Final = 5.0
"""Seconds. A worker answers between its requests: one that is only busy must not look dead."""
BUFFER: Final = 2**20
"""Bytes of an answer that wait on a connection for a client that does not read, before the backend is slowed down."""
_ONLY_HEALTHY: Final = {"healthy_panic_threshold": {"value": 1}}
"""With half of the members left Envoy would by default ask the dead ones, too. With none left it shall: a member that
was only too slow for a check still answers, and asking a dead one costs nothing but the time to refuse."""


def clusters(
    config: Config, processors: Sequence[HostPort], ca: Path | None, secret_file: Callable[[str], Path] | None = None
) -> list[Block]:
    """Build all clusters. ``processors`` are the ExtProc servers; ``ca`` is needed when an endpoint is https.

    ``secret_file`` tells where :func:`waypost.serve.envoy.trust.secrets` are, to follow renewed certificates.
    """
    found = [_processors(config, processors, secret_file)]
    found += [_of_model(config.envoy, name, model, ca) for name, model in config.models.items()]
    if any(by_destination(config, model) for model in config.models.values()):
        found.append(_named_by_processor(config.envoy))
    return found


def _processors(config: Config, addresses: Sequence[HostPort], secret_file: Callable[[str], Path] | None) -> Block:
    hosts = [_host(_reachable(address)) for address in addresses]
    tls = config.tls.extproc and config.tls.extproc.envoy
    return {
        **_common(EXTPROC, config.envoy),
        **_members(EXTPROC, [address.host for address in addresses], hosts),
        **_http({"explicit_http_config": {"http2_protocol_options": {}}}),
        **(_watched_workers() if len(addresses) > 1 else {"lb_policy": "ROUND_ROBIN"}),
        **({"transport_socket": to_processors(tls, secret_file)} if tls else {}),
    }


def _watched_workers() -> Block:
    """Choose the least busy of several processors, and none that is gone or drains."""
    return {
        "lb_policy": "LEAST_REQUEST",
        "health_checks": [
            {
                "grpc_health_check": {},
                "timeout": seconds(_CHECK_TIMEOUT),
                "interval": seconds(_CHECK_INTERVAL),
                "no_traffic_interval": seconds(_CHECK_INTERVAL),
                "unhealthy_interval": seconds(_RETURN_INTERVAL),
                "unhealthy_threshold": 1,
                "healthy_threshold": 1,
            }
        ],
        "common_lb_config": _ONLY_HEALTHY,
    }


def _of_model(envoy: Envoy, name: str, model: Model, ca: Path | None) -> Block:
    cluster = cluster_name(name, model)
    secure = model.endpoints[0].scheme == "https"
    hosts = [_endpoint(endpoint) for endpoint in model.endpoints]
    block = {
        **_common(cluster, envoy),
        **_members(cluster, [endpoint.host for endpoint in model.endpoints], hosts),
        **_http({"auto_config": {}} if secure else {"explicit_http_config": {"http_protocol_options": {}}}),
        "lb_policy": "LEAST_REQUEST",
        "common_lb_config": _ONLY_HEALTHY,
    }
    if secure:
        block["transport_socket"] = _tls(model.endpoints, ca)
    if envoy.outlier_detection:
        block["outlier_detection"] = _outliers(envoy.outlier_detection)
    if model.health_check:
        block["health_checks"] = [_health(model.health_check, backend_path(model))]
    return block


def _named_by_processor(envoy: Envoy) -> Block:
    """Goes where the processor's header points. A client's own header was removed before anything read it."""
    return {
        **_common(ORIGINAL_DST, envoy),
        **_http({"explicit_http_config": {"http_protocol_options": {}}}),
        "type": "ORIGINAL_DST",
        "lb_policy": "CLUSTER_PROVIDED",
        "original_dst_lb_config": {"use_http_header": True, "http_header_name": DESTINATION},
    }


def _common(name: str, envoy: Envoy) -> Block:
    limits = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    return {
        "name": name,
        "connect_timeout": seconds(envoy.connect_timeout),
        "per_connection_buffer_limit_bytes": BUFFER,
        "circuit_breakers": {"thresholds": [dict.fromkeys(limits, envoy.max_requests)]},
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_time": 60, "keepalive_interval": 15, "keepalive_probes": 4}
        },
    }


def _members(cluster: str, names: Sequence[str], hosts: Sequence[Block]) -> Block:
    load = {"cluster_name": cluster, "endpoints": [{"lb_endpoints": list(hosts)}]}
    if all(is_ip(name) for name in names):
        return {"type": "STATIC", "load_assignment": load}
    # Both families at once would make two endpoints of one server, one of them often unreachable.
    return {
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "respect_dns_ttl": True,
        "load_assignment": load,
    }


def _endpoint(endpoint: Endpoint) -> Block:
    address = HostPort(endpoint.host, endpoint.port)
    secure = endpoint.scheme == "https"
    authority = str(address) if endpoint.port != (443 if secure else 80) else str(address).rpartition(":")[0]
    host = _host(address)
    # Envoy makes one hostname both the Host header and, with TLS, the SNI, which must not have a port.
    host["endpoint"]["hostname"] = endpoint.host if secure else authority
    host["endpoint"]["health_check_config"] = {"hostname": authority}
    return {**host, "load_balancing_weight": endpoint.weight}


def _host(address: HostPort) -> Block:
    return {"endpoint": {"address": {"socket_address": {"address": address.host, "port_value": address.port}}}}


def _reachable(address: HostPort) -> HostPort:
    """Where to reach a server of ours: one that listens on every interface is on the loopback one, too."""
    return HostPort({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host), address.port)  # noqa: S104


def _http(protocol: Block) -> Block:
    options = {
        "@type": type_url(_HTTP_OPTIONS),
        "common_http_protocol_options": {"idle_timeout": seconds(_IDLE)},
        **protocol,
    }
    return {"typed_extension_protocol_options": {_HTTP_OPTIONS: options}}


def _tls(endpoints: Sequence[Endpoint], ca: Path | None) -> Block:
    names = sorted({endpoint.host for endpoint in endpoints})
    accepted = [{"san_type": "IP_ADDRESS" if is_ip(name) else "DNS", "matcher": {"exact": name}} for name in names]
    checked = {"trusted_ca": {"filename": str(ca)}, "match_typed_subject_alt_names": accepted}
    return upstream_tls({"validation_context": checked}, auto_host_sni=True)


def _outliers(wanted: OutlierDetection) -> Block:
    return {
        "consecutive_5xx": wanted.consecutive_5xx,
        "base_ejection_time": seconds(wanted.base_ejection_time),
        "max_ejection_percent": wanted.max_ejection_percent,
        # The only other detector that is on by default: among five even endpoints it ejects one for a single 500.
        "enforcing_success_rate": 0,
        # A server whose /health is fine and whose answers are 500 would be taken back at the next check.
        "successful_active_health_check_uneject_host": False,
    }


def _health(check: HealthCheck, path: str) -> Block:
    return {
        "timeout": seconds(check.timeout),
        "interval": seconds(check.interval),
        "no_traffic_interval": seconds(check.interval),  # Envoy's own default is a minute
        "unhealthy_threshold": check.unhealthy_threshold,
        "healthy_threshold": check.healthy_threshold,
        "http_health_check": {"path": f"{path}{check.path}"},
    }
