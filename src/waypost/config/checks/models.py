"""Classifiers of the operator's own: what can be told without reading them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from waypost.config.checks.subject import Finding, Subject
from waypost.config.place import Place
from waypost.config.schema import BUNDLED, Classifier
from waypost.config.suggest import closest
from waypost.inference.huggingface.folder import ADAPTER_CONFIG, CONFIG
from waypost.inference.huggingface.source import HUB_ID, is_path
from waypost.inference.layout import HEAD

__all__ = ["classifier_files_exist", "classifier_models_exist", "classifier_options_have_effect"]

_REPLACEABLE: Final = ("domain",)
"""The classifiers that may be another model."""
_FOR_OWN: Final = ("revision", "base", "mapping", "prefix", "window", "precision")


def classifier_models_exist(subject: Subject) -> Iterator[Finding]:
    """Look for the directory of a model; whether the hub has an id is asked when it is loaded."""
    for place, classifier in _classifiers(subject):
        if classifier.model == BUNDLED:
            continue
        if place[-1] not in _REPLACEABLE:
            yield Finding((*place, "model"), f"{place[-1]} can only be {BUNDLED!r} as yet")
        elif problem := _no_model(classifier.model):
            yield Finding((*place, "model"), problem)


def classifier_files_exist(subject: Subject) -> Iterator[Finding]:
    """Look for the mapping file and the directory of an adapter's base."""
    for place, classifier in _classifiers(subject):
        if classifier.mapping is not None and not Path(classifier.mapping).expanduser().is_file():
            yield Finding((*place, "mapping"), f"there is no file {classifier.mapping!r}")
        if classifier.base is not None and (problem := _no_directory(classifier.base, (CONFIG,))):
            yield Finding((*place, "base"), problem)


def classifier_options_have_effect(subject: Subject) -> Iterator[Finding]:
    """Refuse options of a model beside the bundled one: whoever writes them expects another model."""
    for place, classifier in _classifiers(subject):
        if classifier.model == BUNDLED:
            for key in _FOR_OWN:
                if getattr(classifier, key) != type(classifier).model_fields[key].default:
                    yield Finding((*place, key), "has no effect on the bundled model; name your own in 'model'")


def _classifiers(subject: Subject) -> Iterator[tuple[Place, Classifier]]:
    classifiers = subject.config.classifiers
    for name in type(classifiers).model_fields:
        yield ("classifiers", name), getattr(classifiers, name)


def _no_model(model: str) -> str:
    if closest(model, (BUNDLED,)) and not Path(model).is_dir():
        return f"there is no directory {model!r} (did you mean {BUNDLED!r}?)"
    return _no_directory(model, (CONFIG, ADAPTER_CONFIG, HEAD))


def _no_directory(model: str, any_of: tuple[str, ...]) -> str:
    directory = Path(model).expanduser()
    if directory.is_dir():
        found = any((directory / name).is_file() for name in any_of)
        return "" if found else f"the directory {model!r} has no {' and no '.join(any_of)}"
    if is_path(model):
        return f"there is no directory {model!r}"
    if not HUB_ID.fullmatch(model):
        return f"there is no directory {model!r}, and it is not the id of a model (organisation/name)"
    return ""
