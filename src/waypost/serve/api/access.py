"""Who may ask: bearer tokens with roles; and from where: no web page of another site, no name that is not ours."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from waypost.config.api import SHORTEST_TOKEN, ApiConfig, ApiToken, Role, is_loopback
from waypost.config.secret import Secret
from waypost.config.units import HostPort
from waypost.errors import SetupError
from waypost.serve.api.errors import Forbidden, Unauthorized, answer

__all__ = ["LocalOnly", "Token", "require", "tokens_from"]


@dataclass(frozen=True, slots=True)
class Token:
    """Who may come in, and what for."""

    name: str
    role: Role
    secret: Secret

    def is_it(self, digest: bytes) -> bool:
        """Compare in constant time, whatever the lengths."""
        return hmac.compare_digest(_digest(self.secret.reveal()), digest)


def tokens_from(settings: ApiConfig, address: HostPort, environ: Mapping[str, str]) -> tuple[Token, ...]:
    """Read the tokens. Raises SetupError for a weak or absent one, and for an open API that others can reach."""
    if not settings.tokens and not is_loopback(address.host):
        raise SetupError(
            f"listeners.api is {address}, which other machines may reach, but api.tokens is empty:"
            " add a token, or listen on 127.0.0.1"
        )
    return tuple(Token(token.name, token.role, _secret(token, environ)) for token in settings.tokens)


def require(tokens: Iterable[Token], role: Role) -> list[Any]:
    """Make the dependencies of endpoints for ``role``; none where the API is open."""
    known = tuple(tokens)
    return [Depends(_Bearer(known, role))] if known else []


class _Bearer(HTTPBearer):
    """``operate`` may do what ``read`` may."""

    def __init__(self, tokens: Collection[Token], role: Role) -> None:
        super().__init__(scheme_name="token", auto_error=False)
        self._tokens = tokens
        self._role = role

    async def __call__(self, request: Request) -> None:  # type: ignore[override]  # nobody wants the token itself
        given = await super().__call__(request)
        if given is None:
            raise Unauthorized("Send a token: Authorization: Bearer …", code="missing_token")
        digest = _digest(given.credentials)
        token = next((token for token in self._tokens if token.is_it(digest)), None)
        if token is None:
            raise Unauthorized("Nobody has this token.", code="invalid_token")
        if self._role == "operate" and token.role != "operate":
            raise Forbidden(f"{token.name} has the role read; this needs operate.", code="insufficient_role")


def _secret(token: ApiToken, environ: Mapping[str, str]) -> Secret:
    try:
        return Secret(token.env, token.file, environ, shortest=SHORTEST_TOKEN)
    except SetupError as error:
        raise SetupError(f"the token of {token.name}: {error}") from None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class LocalOnly:
    """Refuses what a browser sends for a page of another site.

    An ``Origin`` must be our own or one of ``origins``. Where the API listens on the loopback the ``Host`` must name
    this machine, too: a page whose own name was made to point to 127.0.0.1 has the right origin but the wrong host.
    """

    def __init__(self, app: ASGIApp, address: HostPort, origins: Collection[str]) -> None:
        self._app = app
        self._address = address
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] == "http" and (why := self._refusal(Headers(scope=scope))):
            await answer(403, why, type=Forbidden.type, code="foreign_page")(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> str:
        host = headers.get("host", "")
        if is_loopback(self._address.host) and not _is_here(host, self._address.host):
            return "This API is for this machine: ask for localhost or 127.0.0.1."
        origin = headers.get("origin")
        if origin is not None and origin not in self._origins and origin.partition("://")[2] != host:
            return "Pages of other sites may not use this API; see api.origins."
        return ""


def _is_here(host: str, own: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == own or is_loopback(name)
