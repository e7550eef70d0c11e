"""The ExtProc server of a configuration, around the engine in force."""

from __future__ import annotations

from waypost.config.schema import Config
from waypost.config.units import HostPort
from waypost.observe.metrics import Metrics
from waypost.serve.extproc.server import ExtProcServer
from waypost.serve.live import Live

__all__ = ["processor"]


def processor(config: Config, address: HostPort, live: Live, metrics: Metrics) -> ExtProcServer:
    """Make it; it still has to be started. Of ``config`` it depends only on what needs a restart."""
    return ExtProcServer(
        address,
        live.current,
        mode=config.envoy.request_body,
        max_body=config.envoy.max_request_body,
        deadline=lambda: live.current().config.processing_timeout,
        count_failure=metrics.processor_errors.inc,
        tls=config.tls.extproc,
    )
