"""The metric of the servers behind the router, as Envoy finds them."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge

__all__ = ["EndpointMetrics"]


class EndpointMetrics:
    """Tells what it was told last, of every endpoint and of no other."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.healthy = Gauge(
            "waypost_model_endpoint_healthy",
            "1 while Envoy sends requests to an endpoint of a model, 0 while it does not.",
            ["model", "endpoint"],
            registry=registry,
        )

    def tell(self, healthy: Mapping[tuple[str, str], bool]) -> None:
        """Replace all; the keys are model and URL."""
        self.healthy.clear()
        for labels, value in healthy.items():
            self.healthy.labels(*labels).set(value)
