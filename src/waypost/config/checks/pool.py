"""The models of the pool: their endpoints, keys and reasoning."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from waypost.config.checks.subject import Finding, Subject
from waypost.config.place import Place
from waypost.config.schema import Endpoint

__all__ = [
    "effort_has_effect",
    "effort_needs_reasoning",
    "endpoints_form_one_cluster",
    "families_are_used",
    "health_checks_have_effect",
    "models_are_used",
    "original_dst_needs_addresses",
    "reasoning_needs_a_family",
    "weights_have_effect",
]


def endpoints_form_one_cluster(subject: Subject) -> Iterator[Finding]:
    """Refuse endpoints that cannot be one Envoy cluster: one way to connect, one path, no server twice."""
    for name, model in subject.config.models.items():
        first, seen = model.endpoints[0], set[tuple[str, int]]()
        for index, endpoint in enumerate(model.endpoints):
            place: Place = ("models", name, "endpoints", index, "url")
            if (endpoint.scheme, endpoint.path) != (first.scheme, first.path):
                yield Finding(place, f"all endpoints of a model share scheme and path, but the first is {first.url}")
            elif (endpoint.host, endpoint.port) in seen:
                yield Finding(place, f"{endpoint.host}:{endpoint.port} is listed twice; use weight for a larger share")
            seen.add((endpoint.host, endpoint.port))


def original_dst_needs_addresses(subject: Subject) -> Iterator[Finding]:
    """Refuse names, TLS and paths for Envoy's ORIGINAL_DST, which goes to the bare address in a header."""
    if subject.config.envoy.upstream != "original_dst":
        return
    for place, endpoint in _endpoints(subject):
        obstacle = _obstacle(endpoint)
        if obstacle:
            message = f"envoy.upstream original_dst needs plain http to an IP address, but this has {obstacle}"
            yield Finding((*place, "url"), message)


def effort_needs_reasoning(subject: Subject) -> Iterator[Finding]:
    """Refuse an effort without reasoning: it contradicts itself."""
    for place, choice in subject.choices():
        if choice.effort is not None and choice.reasoning is not True:
            yield Finding((*place, "effort"), "effort needs 'reasoning: true' beside it")


def reasoning_needs_a_family(subject: Subject) -> Iterator[Finding]:
    """Refuse to switch reasoning without a family, which says how that is done."""
    for place, choice in subject.choices():
        model = subject.config.models.get(choice.model)
        if choice.reasoning is not None and model is not None and model.reasoning_family is None:
            yield Finding(
                (*place, "reasoning"), f"the model {choice.model!r} has no reasoning_family to switch it with"
            )


def effort_has_effect(subject: Subject) -> Iterator[Finding]:
    """Warn of efforts for a family of ``chat_template_kwargs``, which knows only on and off."""
    switches = {
        name for name, family in subject.config.reasoning_families.items() if family.type == "chat_template_kwargs"
    }
    for place, choice in subject.choices():
        model = subject.config.models.get(choice.model)
        if choice.effort is not None and model is not None and model.reasoning_family in switches:
            message = f"no effect: the reasoning family {model.reasoning_family!r} can only be on or off"
            yield Finding((*place, "effort"), message, warning=True)
    for name, family in subject.config.reasoning_families.items():
        if name in switches and family.off != type(family).model_fields["off"].default:
            place = ("reasoning_families", name, "off")
            yield Finding(place, "no effect: chat_template_kwargs are switched off with false", warning=True)


def families_are_used(subject: Subject) -> Iterator[Finding]:
    """Warn of a family that no model names."""
    used = {model.reasoning_family for model in subject.config.models.values()}
    for name in subject.config.reasoning_families:
        if name not in used:
            message = f"no model uses the reasoning family {name!r}"
            yield Finding(("reasoning_families", name), message, warning=True, key=True)


def weights_have_effect(subject: Subject) -> Iterator[Finding]:
    """Warn of a weight where there is nothing to weigh against."""
    for name, model in subject.config.models.items():
        if len(model.endpoints) == 1 and model.endpoints[0].weight != 1:
            place = ("models", name, "endpoints", 0, "weight")
            yield Finding(place, "no effect: a weight is relative to other endpoints of the model", warning=True)


def health_checks_have_effect(subject: Subject) -> Iterator[Finding]:
    """Warn of health checks where Envoy is not ours, or has no named clusters to check."""
    envoy = subject.config.envoy
    if envoy.enabled and envoy.upstream == "clusters":
        return
    reason = "envoy.upstream is original_dst" if envoy.enabled else "envoy.enabled is false"
    for name, model in subject.config.models.items():
        if model.health_check is not None:
            yield Finding(("models", name, "health_check"), f"no effect: {reason}", warning=True, key=True)


def models_are_used(subject: Subject) -> Iterator[Finding]:
    """Warn of models that no way leads to, since ``explicit_models: route`` closes the direct one."""
    routing = subject.config.routing
    if routing.explicit_models == "pass":
        return
    used = {routing.default_model, *(choice.model for _, choice in subject.choices())}
    for name in subject.config.models:
        if name not in used:
            yield Finding(("models", name), f"nothing routes to the model {name!r}", warning=True, key=True)


def _endpoints(subject: Subject) -> Iterator[tuple[Place, Endpoint]]:
    for name, model in subject.config.models.items():
        for index, endpoint in enumerate(model.endpoints):
            yield ("models", name, "endpoints", index), endpoint


def _obstacle(endpoint: Endpoint) -> str | None:
    if endpoint.scheme == "https":
        return "https"
    if endpoint.path:
        return f"the path {endpoint.path}"
    try:
        ip_address(endpoint.host)
    except ValueError:
        return f"the host name {endpoint.host}"
    return None
