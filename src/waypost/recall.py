"""What the cache does for one request: it is asked before the request is forwarded, and told the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Self

from waypost.cache.cache import Cache, Hit, Miss, Place
from waypost.cache.capture import Capture, Unfit
from waypost.cache.directives import Directives, directives
from waypost.cache.flights import Landing
from waypost.cache.key import Asked, ask, owner_digest
from waypost.cache.replay import replay, wants_usage
from waypost.config.caching import CacheConfig, DecisionCache
from waypost.routed import Routed
from waypost.types import Recalled, Reply, Request, RequestHead, ResponseHead
from waypost.wire.document import Document

__all__ = ["Recall", "reply_of"]

_ELSE_SIMILAR: Final = ("absent", "no_usage", "waited")
"""Why there may be no identical answer where a similar one may be served."""


class Recall:
    """One request's dealings with the cache. Whoever makes one calls :meth:`end`, once."""

    def __init__(
        self,
        cache: Cache,
        settings: CacheConfig,
        place: Place,
        asked: Asked,
        may: Directives,
        *,
        usage: bool,
        clock: Callable[[], float],
    ) -> None:
        """``usage``: whoever sent the request is to learn the answer's usage. ``clock``: any seconds."""
        self._cache, self._settings, self._place, self._asked, self._may = cache, settings, place, asked, may
        self._usage = usage
        self._waiting = _Stopwatch(clock)
        self._capture: Capture | None = None
        self._leads = False
        self.outcome: Recalled | None = None
        """What came of asking; None before."""

    @classmethod
    def of(
        cls,
        cache: Cache,
        settings: CacheConfig,
        head: RequestHead,
        document: Document,
        request: Request,
        routed: Routed,
        policy: str,
        clock: Callable[[], float],
    ) -> Self | None:
        """Prepare to ask; None when nobody says whose request it is, and answers are not for everybody.

        ``document`` is what the model would be sent, masks included: what models may not see is not kept either.
        """
        owner = ""
        if settings.owner_header:
            name = head.headers.get(settings.owner_header)
            if not name:
                return None
            owner = owner_digest(name)
        own = routed.route.cache if routed.route and routed.route.cache else DecisionCache()
        place = Place(routed.decision.name if routed.decision else "", routed.selection.model, own)
        # What is the same once it is masked may still be another decision's, or another model's.
        asked = ask(document, request.wire, owner=owner, policy=f"{policy} {place.decision} {place.model}")
        may = directives(head.headers.get("cache-control", ""))
        usage = not request.stream or wants_usage(document)
        return cls(cache, settings, place, asked, may, usage=usage, clock=clock)

    @property
    def waited(self) -> float:
        """Seconds for which somebody else's answer was awaited."""
        return self._waiting.seconds

    async def ask(self) -> Hit | None:
        """Look for the identical request, then for a similar one."""
        found = await self._found()
        if isinstance(found, Hit):
            self.outcome = Recalled(hit=True, reason=found.layer, similarity=found.similarity)
            return found
        self.outcome = Recalled(hit=False, reason=found.reason)
        return None

    async def _found(self) -> Hit | Miss:
        if not self._place.settings.enabled:
            return self._cache.miss("disabled")
        found = await self._cache.lookup_exact(self._asked, self._may, usage=self._usage, waiting=self._waiting)
        if isinstance(found, Hit) or found.reason not in _ELSE_SIMILAR:
            return found
        self._leads = found.leads
        similar = await self._cache.lookup_similar(self._asked, self._place, found.reason, usage=self._usage)
        if isinstance(similar, Hit):
            self._release("unkept")  # who waits for this request may have the same similar answer now
        return similar

    def listen(self, head: ResponseHead) -> None:
        """Take the head of the backend's answer."""
        if self._may.store and self._place.settings.enabled:
            limit = self._settings.max_answer
            self._capture = Capture(head.status, head.headers, max_bytes=limit, usage_asked=self._usage)

    def feed(self, data: bytes) -> None:
        """Take a piece of the answer as the backend sent it."""
        if self._capture:
            self._capture.feed(data)

    def end(self, *, keep: bool, left: bool = False) -> None:
        """The request is over.

        ``keep``: the answer came whole, and was found good. ``left``: nobody knows what it would have been.
        """
        capture, self._capture = self._capture, None
        body: bytes | Unfit | None = None
        try:
            body = capture.finish() if capture and keep else None
        finally:
            if isinstance(body, bytes):
                self._cache.store_soon(self._asked, self._place, body)
                self._leads = False  # the cache lets the others go when it is stored
            self._release("left" if left else "unkept")  # whatever happened, nobody may wait for this answer
        if isinstance(body, str):
            self._cache.skip(body)

    def _release(self, landing: Landing) -> None:
        leads, self._leads = self._leads, False
        if leads:
            self._cache.release(self._asked, landing)


class _Stopwatch:
    """Adds up the time that is spent within it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = 0.0
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._started = self._clock()

    def __exit__(self, *_: object) -> None:
        self.seconds += self._clock() - self._started


def reply_of(hit: Hit, document: Document, request: Request) -> Reply:
    """Say the kept answer again, in the form that the request asks for."""
    return replay(hit.entry, streamed=request.stream, usage=wants_usage(document), headers=hit.headers)
