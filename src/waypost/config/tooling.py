"""Which tools a request offers its model: for every request, and otherwise for a decision."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from waypost.config.strict import Probability, Strict

__all__ = ["DecisionTools", "ToolMode", "ToolsConfig"]

ToolMode = Literal["add", "filter", "replace"]
_Count = Annotated[int, Field(ge=1, le=128)]
"""OpenAI takes 128 tools at most."""
_Pattern = Annotated[str, Field(min_length=1)]


class ToolsConfig(Strict):
    """Choice of tools for requests that leave the choice to the model (``tool_choice: auto``)."""

    enabled: bool = True
    """``false``: only decisions with a section ``tools`` of their own, even ``{}``, choose tools."""
    mode: ToolMode = "add"
    """``add``: the best of the database join the client's tools. ``filter``: only the best of the client's tools stay.
    ``replace``: the best of the database take the place of the client's tools."""
    database: str | None = Field(None, min_length=1)
    """JSON file of tools, in VSR's format; needed by ``add`` and ``replace``."""
    top_k: _Count = 3
    """As many tools are chosen at most."""
    similarity: Probability = 0.2
    """What a tool's score must reach: roughly the probability that it serves the request."""
    allow: tuple[_Pattern, ...] | None = None
    """Names of tools that may be chosen; ``*`` and ``?`` stand for any text and any character. Absent: all."""
    block: tuple[_Pattern, ...] = ()
    """Names of tools that are never chosen; stronger than ``allow``."""
    tags: tuple[_Pattern, ...] | None = None
    """Tools of the database must carry one of these as tag or category. Absent: no matter which."""
    fallback_to_empty: bool = False
    """When no tool is good enough, ``filter`` and ``replace`` send none; ``false`` leaves the client's as they are."""

    @model_validator(mode="after")
    def _has_its_database(self) -> Self:
        if self.enabled and self.needs_database and self.database is None:
            raise ValueError(f"mode {self.mode} needs a database (a JSON file of tools)")
        return self

    @property
    def needs_database(self) -> bool:
        """Whether tools come from the database."""
        return self.mode != "filter"

    def under(self, decision: DecisionTools | None) -> ToolsConfig:
        """Return what holds for a decision: its own words, and these where it has none."""
        if decision is None:
            return self
        changes = {"enabled": decision.enabled}
        changes |= {
            name: value
            for name in type(decision).model_fields
            if name in decision.model_fields_set and (value := getattr(decision, name)) is not None
        }
        return self.model_copy(update=changes)


class DecisionTools(Strict):
    """What a decision does otherwise; absent keys are as under ``tools``.

    The section itself, even ``{}``, switches the choice on, unless it says ``enabled: false``.
    """

    enabled: bool = True
    mode: ToolMode | None = None
    top_k: _Count | None = None
    similarity: Probability | None = None
    allow: tuple[_Pattern, ...] | None = None
    block: tuple[_Pattern, ...] | None = None
    tags: tuple[_Pattern, ...] | None = None
    fallback_to_empty: bool | None = None
