"""What needs more than one place of the file to judge.

To add a check: a function, a line in ``_CHECKS``, a row in the test's table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from waypost.config.checks import (
    guards,
    listeners,
    models,
    names,
    pool,
    reachable,
    secrets,
    services,
    sharing,
    signals,
    tls,
)
from waypost.config.checks.subject import Check, Subject
from waypost.config.document import Document
from waypost.config.schema import Config
from waypost.errors import Problem

__all__ = ["check"]

_CHECKS: Final[tuple[Check, ...]] = (
    guards.allowed_types_exist,
    guards.allowing_has_effect,
    guards.guarded_attacks_exist,
    guards.guarded_types_exist,
    guards.guards_need_the_processor,
    guards.overrides_have_effect,
    guards.restricting_has_effect,
    guards.routes_lead_somewhere,
    listeners.demo_is_reachable,
    listeners.demo_is_used,
    listeners.endpoints_are_not_the_router,
    listeners.listeners_are_distinct,
    listeners.passing_needs_buffering,
    listeners.private_listeners_are_local,
    listeners.something_is_routed,
    models.classifier_files_exist,
    models.classifier_models_exist,
    models.classifier_options_have_effect,
    names.attacks_exist,
    names.domains_exist,
    names.families_exist,
    names.keywords_exist,
    names.languages_exist,
    names.lengths_exist,
    names.models_exist,
    names.names_are_unique,
    names.pii_types_exist,
    names.virtual_models_are_not_real,
    pool.effort_has_effect,
    pool.effort_needs_reasoning,
    pool.endpoints_form_one_cluster,
    pool.families_are_used,
    pool.health_checks_have_effect,
    pool.models_are_used,
    pool.original_dst_needs_addresses,
    pool.reasoning_needs_a_family,
    pool.weights_have_effect,
    reachable.decisions_can_win,
    secrets.secrets_are_there,
    services.decisions_change_what_there_is,
    services.tools_have_a_database,
    sharing.workers_share_the_cache,
    sharing.workers_share_the_listener,
    signals.lengths_are_ranges,
    signals.regexes_compile,
    signals.rules_are_not_empty,
    signals.signals_are_used,
    tls.certificates_are_usable,
    tls.envoy_trusts_the_processor,
    tls.keys_are_private,
)


def check(
    config: Config, document: Document, environ: Mapping[str, str], workers: int = 1
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Find errors and warnings, each in the order of the file."""
    subject = Subject(config, environ, workers)
    findings = [finding for check in _CHECKS for finding in check(subject)]
    located = [(document.problem(item.place, item.message, key=item.key), item.warning) for item in findings]
    located.sort(key=lambda item: (item[0].line, item[0].column, item[0].message))
    return (
        tuple(problem for problem, warning in located if not warning),
        tuple(problem for problem, warning in located if warning),
    )
