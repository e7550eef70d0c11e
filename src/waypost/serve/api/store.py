"""The configuration file: read, checked, replaced in one step, and put back."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import waypost
from waypost.config.load import Loaded, loads
from waypost.config.redact import with_userinfo, without_userinfo
from waypost.config.restart import needs_restart
from waypost.errors import BadRequest
from waypost.serve.api.errors import Conflict
from waypost.serve.live import Live

__all__ = ["Check", "ConfigStore", "Stored"]

_SHIPPED: Final = Path(waypost.__file__).parent


@dataclass(frozen=True, slots=True)
class Stored:
    """What the file says now."""

    text: str
    """Without passwords in URLs."""
    revision: str
    """12 hex digits that change with every byte of the file; remarks too."""


@dataclass(frozen=True, slots=True)
class Check:
    """A configuration that may be put in force."""

    loaded: Loaded
    restart: tuple[str, ...]
    """Keys that differ from what is in force and take effect only at a restart."""


class ConfigStore:
    """Writes the file that ``live`` follows, and has it followed at once.

    The text that was replaced stays beside the file, as ``<name>.previous``; a rollback exchanges the two.
    """

    def __init__(self, live: Live, reload: Callable[[], Awaitable[None]], environ: Mapping[str, str]) -> None:
        self._live = live
        self._reload = reload
        self._environ = environ
        self._lock = asyncio.Lock()

    @property
    def in_force(self) -> Loaded:
        """What the router runs on; the file may say something else that was refused."""
        return self._live.loaded

    @property
    def reload_error(self) -> str:
        """Why the last reload was refused; empty when it was not."""
        return self._live.error

    def read(self) -> Stored:
        """Read the file. Raises Conflict when it cannot be."""
        content = _read(self.in_force.path)
        return Stored(without_userinfo(_text(content)), _revision(content))

    def check(self, text: str) -> Check:
        """Understand ``text`` as :meth:`apply` would, hidden parts of the present file included, if they can be told.

        Raises ConfigError with every mistake.
        """
        shown = self._understood(text)  # first: its mistakes are at the places that the client sees, without passwords
        try:
            whole = _whole(text, _read(self.in_force.path))
        except (BadRequest, Conflict):
            return shown
        return shown if whole == text else self._understood(whole)

    async def apply(self, text: str, revision: str) -> str:
        """Replace the file, which must still be at ``revision``, and put it in force. Returns the new revision.

        Raises Conflict when the file is another by now or may not be written, BadRequest when ``text`` is not the whole
        truth, ConfigError when it is wrong or refused. Then the file is as before. A ``***`` that :meth:`read` showed
        in a URL stands for what the file has there.
        """
        if without_userinfo(text) != text:
            raise BadRequest("a password in a URL does not belong into the file; use ${NAME}", code="secret_in_text")
        async with self._lock:
            old = self._at(revision)
            whole = _whole(text, old)
            if whole != text:
                await asyncio.to_thread(self._understood, text)  # see `check`
            return await self._exchange(whole.encode(), old)

    async def roll_back(self, revision: str) -> str:
        """Put back what the last :meth:`apply` replaced; a second rollback undoes the first.

        Returns and raises as it does.
        """
        async with self._lock:
            if not self._previous.exists():
                raise Conflict("There is nothing to go back to.", code="no_previous_configuration")
            return await self._exchange(_read(self._previous), self._at(revision))

    def _at(self, revision: str) -> bytes:
        """Read the file, which must be at ``revision``."""
        content = _read(self._file)
        if revision != _revision(content):
            raise _conflict(content)
        return content

    def _understood(self, text: str) -> Check:
        loaded = loads(text, str(self.in_force.path), self._environ, workers=self.in_force.workers)
        return Check(loaded, needs_restart(self.in_force.config, loaded.config))

    async def _exchange(self, new: bytes, old: bytes) -> str:
        wanted = await asyncio.to_thread(self._understood, _text(new))
        if wanted.restart:
            raise Conflict(f"This takes effect only at a restart: {', '.join(wanted.restart)}.", code="needs_restart")
        await self._put(new, instead_of=old)
        if self.in_force.digest != wanted.loaded.digest:
            why = self.reload_error
            await self._put(old, instead_of=new)  # not of what somebody else wrote over it: that is now followed
            raise Conflict(f"The router refused it, the old configuration stays: {why}", code="refused")
        _replace(self._previous, old)
        return _revision(new)

    async def _put(self, content: bytes, *, instead_of: bytes) -> None:
        try:
            _replace(self._file, content, instead_of)
        except OSError as error:
            message = f"{self._file} cannot be written: {error.strerror}."
            raise Conflict(message, code="not_writable") from error
        await self._reload()

    @property
    def _file(self) -> Path:
        """The file itself, where its name is a link."""
        path = self.in_force.path.resolve()
        if path.is_relative_to(_SHIPPED):
            message = "The configuration that comes with waypost cannot be changed; start with a file of your own."
            raise Conflict(message, code="not_writable")
        return path

    @property
    def _previous(self) -> Path:
        return self._file.with_name(f"{self._file.name}.previous")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Conflict(f"{path} cannot be read: {error.strerror}.", code="not_readable") from error


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig", errors="replace")


def _whole(text: str, old: bytes) -> str:
    """Put what :meth:`ConfigStore.read` hid of ``old`` back into ``text``. Raises BadRequest if it cannot tell."""
    try:
        return with_userinfo(text, _text(old))
    except ValueError as error:
        raise BadRequest(str(error), code="hidden_in_text") from None


def _revision(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _conflict(content: bytes) -> Conflict:
    message = f"The file is at revision {_revision(content)} by now; read it again."
    return Conflict(message, code="revision_conflict", param="revision")


def _replace(path: Path, content: bytes, instead_of: bytes | None = None) -> None:
    """Write all of it or nothing, with the mode that the file had.

    Raises Conflict when the file is not ``instead_of`` any more. No system call compares and renames in one, so the
    look comes last, after all that takes time.
    """
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        if instead_of is not None and (found := _read(path)) != instead_of:
            raise _conflict(found)
        Path(name).replace(path)
    except (OSError, Conflict):
        Path(name).unlink(missing_ok=True)
        raise
