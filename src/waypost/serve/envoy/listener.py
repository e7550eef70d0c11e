"""The listener: where clients connect, what is taken from their requests, and when our processor is asked."""

from __future__ import annotations

from typing import Final

from waypost.config.schema import Config
from waypost.serve.envoy.clusters import BUFFER
from waypost.serve.envoy.names import EXTPROC, LISTENER, STATS, Block, seconds, type_url
from waypost.serve.envoy.replies import local_replies
from waypost.serve.envoy.routes import retries
from waypost.serve.ports import numeric
from waypost.wire.headers import DESTINATION, SELECTED_MODEL

__all__ = ["INTERNAL_HEADERS", "listener"]

INTERNAL_HEADERS: Final = (
    SELECTED_MODEL,
    DESTINATION,
    "x-category",
    "x-confidence",
    "x-vsr-selected-model",
    "x-vsr-selected-decision",
    "x-vsr-selected-category",
    "x-vsr-selected-confidence",
    "x-vsr-selected-reasoning",
    "x-vsr-injected-system-prompt",
    "x-vsr-cache-hit",
    "x-vsr-cache-similarity",
    "x-vsr-jailbreak-blocked",
    "x-vsr-pii-violation",
    "x-vsr-pii-types",
    "x-vsr-pii-masked",
    "x-vsr-jailbreak-type",
    "x-vsr-guard-error",
    "x-vsr-cache-miss",
    "x-vsr-cache-layer",
)
"""Only the router may say these. What a client sends under these names is removed before anything reads it;
otherwise a client could choose its backend, or with the destination header any host that Envoy can reach."""

_HEADERS_TIMEOUT: Final = 10.0
_PROCESSOR_RETRIES: Final = 3
_RETRY_PAUSE: Final = 0.025
_IDLE_MARGIN: Final = 30.0


def listener(config: Config, route_source: Block) -> Block:
    """Build the one listener. ``route_source`` is ``{"rds": …}`` or ``{"route_config": …}``.

    Raises SetupError when the host of ``listeners.http`` has no address.
    """
    address = numeric("listeners.http", config.listeners.http)
    socket: Block = {"address": address.host, "port_value": address.port}
    if address.host == "::":
        socket["ipv4_compat"] = True
    return {
        "name": LISTENER,
        "address": {"socket_address": socket},
        "enable_reuse_port": config.envoy.concurrency > 1,  # with it a second Envoy could take the same port in silence
        # What is held towards the client, too. The route table raises it for requests, and cannot lower it.
        "per_connection_buffer_limit_bytes": min(BUFFER, config.envoy.max_request_body),
        "filter_chains": [
            {"filters": [_filter("network.http_connection_manager", _connections(config, route_source))]}
        ],
    }


def _connections(config: Config, route_source: Block) -> Block:
    return {
        "@type": type_url("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": STATS,
        "server_name": "waypost",
        "use_remote_address": True,  # we are the edge: x-forwarded-for and x-envoy-* of a client prove nothing
        "always_set_request_id_in_response": True,
        "normalize_path": True,
        "merge_slashes": True,
        # Backends decode %2F (uvicorn does): what they take for a path that we read must not pass unread.
        "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
        "http_protocol_options": {"accept_http_10": True},  # nginx speaks it to its upstreams unless told otherwise
        "request_headers_timeout": seconds(_HEADERS_TIMEOUT),
        "request_timeout": seconds(_receive_timeout(config)),
        "stream_idle_timeout": seconds(_idle_timeout(config)),
        "early_header_mutation_extensions": [_internal_headers()],
        "local_reply_config": local_replies(),
        "http_filters": [
            _filter("http.ext_proc", _processor(config)),
            _filter(
                "http.router",
                {"@type": type_url("envoy.extensions.filters.http.router.v3.Router"), "suppress_envoy_headers": True},
            ),
        ],
        **route_source,
    }


def _processor_retries() -> Block:
    # gRPC's own pauses are seconds, in which a client waits to hear that no processor is there.
    pauses = {"base_interval": seconds(_RETRY_PAUSE), "max_interval": seconds(10 * _RETRY_PAUSE)}
    return {**retries(_PROCESSOR_RETRIES), "retry_back_off": pauses}


def _idle_timeout(config: Config) -> float:
    # The backend's silence is limited by the route and must run out first: it gives the better answer.
    allowed = config.envoy.request_timeout
    return allowed + _IDLE_MARGIN if allowed else 0


def _receive_timeout(config: Config) -> float:
    # Envoy's clock stops when all filters are done with the request, so the processor's time is in it.
    allowed = config.envoy.receive_timeout
    return allowed + config.processing_timeout if allowed else 0


def _processor(config: Config) -> Block:
    envoy = config.envoy
    full_duplex = envoy.request_body == "full_duplex_streamed"
    return {
        "@type": type_url("envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"),
        "grpc_service": {"envoy_grpc": {"cluster_name": EXTPROC}, "retry_policy": _processor_retries()},
        "message_timeout": seconds(config.processing_timeout),
        "failure_mode_allow": envoy.on_processor_failure == "pass",
        "status_on_error": {"code": "ServiceUnavailable"},
        "allow_mode_override": True,
        "mutation_rules": {"allow_all_routing": False, "allow_envoy": False},
        "processing_mode": _full_duplex_mode() if full_duplex else _buffered_mode(),
    }


def _buffered_mode() -> Block:
    """Show the processor the whole request; it may ask for the answer's body with a mode override."""
    return {
        "request_header_mode": "SEND",
        "request_body_mode": "BUFFERED",
        "request_trailer_mode": "SKIP",
        "response_header_mode": "SEND",
        "response_body_mode": "NONE",
        "response_trailer_mode": "SKIP",
    }


def _full_duplex_mode() -> Block:
    """Leave the bound on the body to the processor. Envoy ignores mode overrides here and insists on trailers."""
    return {
        **_buffered_mode(),
        "request_body_mode": "FULL_DUPLEX_STREAMED",
        "request_trailer_mode": "SEND",
        "response_body_mode": "STREAMED",
        "response_trailer_mode": "SEND",  # or an answer with trailers never shows its end
    }


def _internal_headers() -> Block:
    return {
        "name": "internal_headers",
        "typed_config": {
            "@type": type_url("envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"),
            "mutations": [{"remove": name} for name in INTERNAL_HEADERS],
        },
    }


def _filter(name: str, typed_config: Block) -> Block:
    return {"name": f"envoy.filters.{name}", "typed_config": typed_config}
