"""From the header that names the selected model to its cluster."""

from __future__ import annotations

from typing import Final

from waypost.config.schema import Config, Envoy, Model
from waypost.serve.envoy.names import ORIGINAL_DST, ROUTES, Block, backend_path, cluster_name, seconds, type_url
from waypost.serve.ports import is_ip
from waypost.wire.headers import DESTINATION, SELECTED_MODEL

__all__ = ["by_destination", "joined", "retries", "routes"]

_NOT_A_PATH: Final[Block] = {
    "match": {"safe_regex": {"regex": ".*%([01][0-9A-Fa-f]|7[Ff]).*"}},
    "direct_response": {"status": 400},
}
"""Escaped control characters. The routes of Starlette, and so of vLLM, overlook a newline at the end: with ``%0A`` a
request that we read would pass as one of another path."""
_SELECTIONS: Final = 100
"""Draws until a host is found where the request has not been. A host that is gone looks idle, so LEAST_REQUEST draws
it three times of four when there are two: with Envoy's usual few draws a retry goes back to it."""


def routes(config: Config) -> Block:
    """Build the RouteConfiguration: one route a model; what names no model goes to the default model."""
    default = config.routing.default_model
    found = [route for name, model in config.models.items() for route in _of_model(config, name, model)]
    found.append(_route(config.envoy, config.models[default], cluster_name(default, config.models[default]), []))
    everything = {
        "name": "all",
        "domains": ["*"],
        "routes": [_NOT_A_PATH, *found],
        "request_body_buffer_limit": config.envoy.max_request_body,
    }
    return {"name": ROUTES, "validate_clusters": True, "virtual_hosts": [everything]}


def joined(old: Block, new: Block) -> Block:
    """Add to ``new`` the routes to models that only ``old`` knows."""
    *models, default = new["virtual_hosts"][0]["routes"]
    known = [route["match"] for route in (*models, default)]
    left = [route for route in old["virtual_hosts"][0]["routes"] if route["match"] not in known]
    return {**new, "virtual_hosts": [{**new["virtual_hosts"][0], "routes": [*models, *left, default]}]}


def by_destination(config: Config, model: Model) -> bool:
    """Tell whether requests for this model go to the address that the processor names (envoy.upstream: original_dst).

    Such an address is an IP without TLS; other models keep their named cluster.
    """
    return config.envoy.upstream == "original_dst" and all(
        endpoint.scheme == "http" and is_ip(endpoint.host) for endpoint in model.endpoints
    )


def _of_model(config: Config, name: str, model: Model) -> list[Block]:
    selected = {"name": SELECTED_MODEL, "string_match": {"exact": name}}
    named = _route(config.envoy, model, cluster_name(name, model), [selected])
    if not by_destination(config, model):
        return [named]
    destination = {"name": DESTINATION, "present_match": True}
    return [_route(config.envoy, model, ORIGINAL_DST, [selected, destination]), named]


def _route(envoy: Envoy, model: Model, cluster: str, headers: list[Block]) -> Block:
    action: Block = {"cluster": cluster, "timeout": "0s", "retry_policy": _retries(envoy)}
    if cluster != ORIGINAL_DST:
        action["auto_host_rewrite"] = True  # hosted APIs serve nothing under our own name
    if path := backend_path(model):
        action["prefix_rewrite"] = f"{path}/"
    return {"match": {"prefix": "/", "headers": headers}, "route": action}


def _retries(envoy: Envoy) -> Block:
    """Try again on another endpoint.

    The time limit is one on silence, so that an answer that still streams is never cut: until the backend's first
    byte it is the limit of the whole answer.
    """
    return {
        **retries(envoy.retries),
        "per_try_idle_timeout": seconds(envoy.request_timeout),
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.250s"},
    }


def retries(times: int) -> Block:
    """Try again only what cannot have been read by anybody, where this request has not been if there is such a host.

    A model must not be asked twice, and a request that ends a process must not be handed from one to the next.
    """
    return {
        "retry_on": "connect-failure,refused-stream,reset-before-request",
        "num_retries": times,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": type_url("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate")
                },
            }
        ],
        "host_selection_retry_max_attempts": _SELECTIONS,
    }
