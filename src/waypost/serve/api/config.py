"""``/config/router``: read, check, apply and roll back the configuration."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from waypost.config.redact import without_userinfo
from waypost.config.show import shown
from waypost.errors import ConfigError, Problem
from waypost.serve.api.model import Ask, Tell
from waypost.serve.api.services import StoreNow

__all__ = ["changing", "reading"]

reading = APIRouter(tags=["configuration"])
changing = APIRouter(tags=["configuration"])

ConfigText = Annotated[str, Field(min_length=1, max_length=2**20)]
Revision = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]


class Configuration(Tell):
    """The file, and what is in force."""

    path: str
    revision: str
    """Of the file: 12 hex digits that change with every byte; a change must name the revision that it builds on."""
    text: str
    """The file as it is written: variables unresolved, passwords in URLs as ``***``."""
    digest: str
    """Of what is in force: 12 hex digits that change with any value and with nothing else."""
    config: dict[str, Any]
    """What is in force, with every default; values from the environment as ``${NAME}``."""
    reload_error: str | None
    """Why the file is not in force."""


class Mistake(Tell):
    """One thing that is wrong or risky."""

    line: int
    """From 1; 0 means the whole file."""
    column: int
    path: str
    """Dotted key."""
    message: str


class Verdict(Tell):
    """Whether a configuration could be put in force."""

    valid: bool
    digest: str | None
    errors: list[Mistake]
    warnings: list[Mistake]
    needs_restart: list[str]
    """Keys that differ from what is in force and take effect only at a restart: such a change is not applied."""


class Applied(Tell):
    """What is in force now."""

    status: Literal["applied"] = "applied"
    revision: str
    digest: str


class ValidateRequest(Ask):
    """A configuration to check."""

    text: ConfigText


class ApplyRequest(Ask):
    """A configuration to put in force."""

    text: ConfigText
    revision: Revision
    """The revision that was read before: when the file is another by now, nothing happens and the answer is 409."""


class RollbackRequest(Ask):
    """The previous configuration is wanted."""

    revision: Revision
    """The revision that is to be replaced."""


@reading.get("/config/router")
async def read(store: StoreNow) -> Configuration:
    """Show the configuration, without anything secret."""
    stored, loaded = store.read(), store.in_force
    return Configuration(
        path=str(loaded.path),
        revision=stored.revision,
        text=stored.text,
        digest=loaded.digest,
        config=await asyncio.to_thread(shown, loaded),  # the event loop is for the traffic
        reload_error=store.reload_error or None,
    )


@changing.post("/config/router/validate")
async def validate(body: ValidateRequest, store: StoreNow) -> Verdict:
    """Check a configuration as a start would, with every mistake at once; nothing changes."""
    try:
        check = await asyncio.to_thread(store.check, body.text)
    except ConfigError as error:
        mistakes = [_mistake(problem) for problem in error.problems]
        return Verdict(valid=False, digest=None, errors=mistakes, warnings=[], needs_restart=[])
    return Verdict(
        valid=True,
        digest=check.loaded.digest,
        errors=[],
        warnings=[_mistake(problem) for problem in check.loaded.warnings],
        needs_restart=list(check.restart),
    )


@changing.put("/config/router")
async def apply(body: ApplyRequest, store: StoreNow) -> Applied:
    """Replace the file in one step and put it in force; on any error all stays as it was."""
    return Applied(revision=await store.apply(body.text, body.revision), digest=store.in_force.digest)


@changing.post("/config/router/rollback")
async def roll_back(body: RollbackRequest, store: StoreNow) -> Applied:
    """Put back what the last change replaced; once more undoes that."""
    return Applied(revision=await store.roll_back(body.revision), digest=store.in_force.digest)


def _mistake(problem: Problem) -> Mistake:
    path, message = without_userinfo(problem.path), without_userinfo(problem.message)
    return Mistake(line=problem.line, column=problem.column, path=path, message=message)
