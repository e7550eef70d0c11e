"""One HTTP request on its way through the pipeline, and its answer on the way back.

Sans-IO: ExtProc, the CLI and tests are callers of the same few methods::

    exchange = engine.open(head)
    exchange.on_headers()            -> Reply | Forward | None (None: give me the body)
    await exchange.on_body(body)     -> Reply | Forward
    exchange.on_response_start(head) -> ResponseStart | Reply
    await exchange.on_chunk(data, last=False)     (every piece of the answer's body, if it asked for them)
                                     -> bytes | None (None: as it is)
    exchange.on_end(aborted=False)   -> None      (always, exactly once)
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Literal

from waypost.answering import Answer
from waypost.errors import MethodNotAllowed, RequestError
from waypost.guard.answer import AnswerGuard
from waypost.guard.answer_judge import AnswerJudge
from waypost.guard.heard import heard
from waypost.guard.permission import masked_types
from waypost.guard.pii.mask import mask
from waypost.guard.pii.vault import Vault
from waypost.guard.refusal import code, refusal
from waypost.recall import Recall, reply_of
from waypost.routed import Routed
from waypost.tools.selection import ToolSelection
from waypost.types import Forward, Record, Reply, Request, RequestHead, ResponseHead, ResponseStart, Step, Verdict
from waypost.wire import actions, answers, chat, completions, headers
from waypost.wire.document import Document
from waypost.wire.edits import Edits
from waypost.wire.headers import DEBUG, SELECTED_MODEL
from waypost.wire.restore import Restorer, wants_json
from waypost.wire.texts import TextPlace, texts
from waypost.wire.tools import read_offer

if TYPE_CHECKING:
    from waypost.engine import Engine

__all__ = ["Exchange"]

_CHAT: Final = "/v1/chat/completions"
_READERS: Final = {_CHAT: chat.read, "/v1/completions": completions.read}
_MODELS: Final = "/v1/models"
_DONE: Final = b"[DONE]"
"""Ends a stream, whether or not the connection ends with it."""
_TAIL: Final = 32
"""Bytes at the end of a piece in which that is looked for: with its line ends."""


class Exchange:
    """One request and its answer; see the module."""

    def __init__(self, engine: Engine, head: RequestHead) -> None:
        self._trace = engine.observer.begin(head)
        self._arrived = engine.wall()
        self._body_seconds = 0.0
        self._answer_seconds: float | None = None
        self._endpoint = ""
        self._engine = engine
        self._head = head
        self._began = engine.clock()
        self._request: Request | None = None
        self._routed: Routed | None = None
        self._said: tuple[TextPlace, ...] = ()
        self._vault: Vault | None = None
        self._json_wanted = False
        self._answer: Answer | None = None
        self._recall: Recall | None = None
        self._tools: ToolSelection | None = None
        self._steps: dict[Literal["cache", "tools"], Step] = {}
        self._verdicts: tuple[Verdict, ...] = ()
        self._router_seconds = 0.0
        self._status = 0
        self._error = ""
        self._first_token: float | None = None
        self._expected: int | None = None
        self._received = 0
        self._said_all = False

    def on_headers(self) -> Reply | Forward | None:
        """Answer, pass on, or return None to ask for the body."""
        path, method = self._head.path, self._head.method
        if path in _READERS and method != "OPTIONS":  # a browser asks the backend whether it may
            return None if method == "POST" else self._refuse(MethodNotAllowed(method, path))
        if path == _MODELS and method == "GET":
            self._status = 200
            return answers.model_list(self._engine.model_names, self._engine.created)
        # What is not ours passes through, to the default model's backend. Without our key: it opens models to our
        # clients, not the files and settings of the account behind it.
        model = self._engine.config.routing.default_model
        return Forward(((SELECTED_MODEL, model), *self._address(model), *self._onward), (DEBUG, *self._stale))

    async def on_body(self, body: bytes) -> Reply | Forward:
        """Route one whole request body."""
        started = self._engine.clock()
        self._body_seconds = started - self._began
        try:
            return await self._on_body(body)
        except RequestError as error:
            return self._refuse(error)
        finally:
            # Cancelled or not: who waits for somebody else's answer does nothing of its own.
            self._router_seconds = self._engine.clock() - started - self._waited

    @property
    def _waited(self) -> float:
        return self._recall.waited if self._recall else 0.0

    async def _on_body(self, body: bytes) -> Reply | Forward:
        document = Document.parse(body)
        request = self._request = _READERS[self._head.path](document)
        self._said = texts(document) if self._engine.listens else ()
        heard_all = heard(request, self._said)
        routed = self._routed = await self._engine.route(heard_all, [place.text for place in self._said])
        self._verdicts = routed.verdicts
        if routed.blocked:
            return self._block(routed.blocked, routed, request)
        self._json_wanted = wants_json(document)
        document = self._masked(document, routed)
        if known := await self._recalled(document, request, routed):
            return known
        self._tools = await self._chosen_tools(document, request, routed)
        return self._forward(document, request, routed)

    async def _recalled(self, document: Document, request: Request, routed: Routed) -> Reply | None:
        """Answer from the cache."""
        engine, settings = self._engine, self._engine.config.cache
        if engine.cache is None or settings is None:
            return None
        self._recall = Recall.of(
            engine.cache, settings, self._head, document, request, routed, engine.policy_digest, engine.clock
        )
        if self._recall is None:
            return None
        started = engine.clock()
        hit = await self._recall.ask()
        self._took("cache", started)
        if hit is None:
            return None
        reply = reply_of(hit, document, request)
        self._status = reply.status
        body, kind = reply.body, dict(reply.headers)["content-type"]
        if self._vault:
            restorer = Restorer(self._vault, kind, json_content=self._json_wanted)
            body = restorer.feed(body) + restorer.end()
        return Reply(reply.status, body, (*reply.headers, *self._own_headers(routed)))

    async def _chosen_tools(self, document: Document, request: Request, routed: Routed) -> ToolSelection | None:
        settings = self._engine.config.tools
        if self._engine.tools is None or settings is None or request.wire != "chat":
            return None
        settings = settings.under(routed.route.tools if routed.route else None)
        if not settings.enabled:
            return None
        started = self._engine.clock()
        chosen = await self._engine.tools.select(request.user_text, read_offer(document), settings)
        if chosen:
            self._took("tools", started)
        return chosen

    def _took(self, step: Literal["cache", "tools"], started: float) -> None:
        self._steps[step] = Step(started - self._began, self._engine.clock() - started)

    def _block(self, verdict: Verdict, routed: Routed, request: Request) -> Reply:
        guard = getattr(routed.guards, verdict.guard)
        answer_id = f"{'chatcmpl' if request.wire == 'chat' else 'cmpl'}-{self._engine.random.getrandbits(96):024x}"
        reply = refusal(verdict, routed.verdicts, request, guard.status, answer_id=answer_id, created=int(time.time()))
        self._status, self._error = reply.status, code(verdict)
        return reply

    def _masked(self, document: Document, routed: Routed) -> Document:
        """Put surrogates for what the selected model may not see."""
        verdict = next((verdict for verdict in routed.verdicts if verdict.action == "mask"), None)
        if verdict is None or routed.personal is None:
            return document
        types = masked_types(self._engine.config.models[routed.selection.model], verdict)
        document, self._vault = mask(document, self._said, routed.personal.only(types))
        return document

    def _forward(self, document: Document, request: Request, routed: Routed) -> Forward:
        model = routed.selection.model
        body = self._edit(document, request, routed)
        return Forward(
            set_headers=(
                *headers.for_backend(routed.decision, routed.selection, routed.category),
                *self._address(model),
                *self._onward,
                *self._engine.key(model),
                ("accept-encoding", "identity"),  # the answer is read
            ),
            # Trailers would come after the last place for what was held back.
            remove_headers=(DEBUG, "te", *self._stale),
            body=document.text.encode() if body is None and self._vault else body,
        )

    def _address(self, model: str) -> list[tuple[str, str]]:
        address = self._engine.address(model)
        self._endpoint = address[0][1] if address else ""
        return address

    @property
    def _onward(self) -> tuple[tuple[str, str], ...]:
        """The headers that take the trace to the backend."""
        return self._trace.set_headers if self._trace else ()

    @property
    def _stale(self) -> tuple[str, ...]:
        return self._trace.remove_headers if self._trace else ()

    def _edit(self, document: Document, request: Request, routed: Routed) -> bytes | None:
        """The new body; None when nothing had to change."""
        config = self._engine.config
        model = config.models[routed.selection.model]
        edits = Edits(document)
        served_as = model.served_as or routed.selection.model
        if served_as != request.model:
            actions.set_model(edits, served_as)
        if request.wire == "chat":
            if self._tools:
                self._tools.apply(edits)
            if prompt := routed.system_prompt:
                actions.set_system_prompt(edits, prompt.text, prompt.mode)
            if routed.selection.reasoning is not None and model.reasoning_family:
                family = config.reasoning_families[model.reasoning_family]
                actions.set_reasoning(edits, family, on=routed.selection.reasoning, effort=routed.selection.effort)
        return edits.render() if edits else None

    def _refuse(self, error: RequestError) -> Reply:
        self._status, self._error = error.status, error.code or error.type
        return answers.from_exception(error)

    def on_response_start(self, head: ResponseHead) -> ResponseStart | Reply:
        """The head of the backend's answer (or of Envoy's own error)."""
        self._status = head.status
        self._answer_seconds = self._engine.clock() - self._began
        if self._routed is None or self._request is None:
            return ResponseStart()
        judge = AnswerJudge.of(self._engine.watch, self._routed.guards, [place.text for place in self._said])
        judge = judge if head.status < 300 else None  # an error is not the model's answer
        if self._recall:
            self._recall.listen(head)  # also to what cannot be kept: it is counted
        if head.headers.get("content-encoding", "identity") != "identity":
            return self._unreadable(head, self._routed, judge)
        length = head.headers.get("content-length", "")
        self._expected = int(length) if length.isascii() and length.isdigit() else None
        content_type = head.headers.get("content-type", "")
        streamed = content_type.partition(";")[0].strip().lower() == "text/event-stream"
        self._answer = Answer(
            content_type,
            AnswerGuard(judge, self._request.wire, streamed=streamed) if judge else None,
            Restorer(self._vault, content_type, json_content=self._json_wanted) if self._vault else None,
        )
        return self._start(head, self._routed, read_body=head.status < 300 or self._answer.changes)

    def _unreadable(self, head: ResponseHead, routed: Routed, judge: AnswerJudge | None) -> ResponseStart | Reply:
        verdicts = judge.unread("the answer is compressed") if judge else ()
        if self._vault and head.status < 300:
            lost = "the answer is compressed: masked values were not put back"
            verdicts += (Verdict("pii", "allow", error=lost, in_answer=True),)
        self._verdicts += verdicts
        if any(verdict.action == "block" for verdict in verdicts):
            message = "The backend compressed its answer, so it could not be checked and was dropped."
            self._status, self._error = 502, "answer_not_checked"
            return answers.error(502, message, "server_error", self._error)
        return self._start(head, routed, read_body=False)

    def _start(self, head: ResponseHead, routed: Routed, *, read_body: bool) -> ResponseStart:
        found = self._client_headers(routed, head)
        changes = read_body and self._answer is not None and self._answer.changes
        forged = set(headers.GUARDS).intersection(head.headers).difference(name for name, _ in found)
        unset = (*sorted(forged), *(("content-length",) if changes else ()))
        return ResponseStart(tuple(found), unset, read_body=read_body, changes_body=changes)

    def _own_headers(self, routed: Routed) -> list[tuple[str, str]]:
        """What the client is told, whoever answers."""
        decision, selection = routed.decision, routed.selection
        prompted = routed.system_prompt is not None and self._head.path == _CHAT
        found = headers.for_client(decision, selection, routed.category, system_prompt=prompted)
        found += headers.for_guards(self._verdicts)
        if self._head.headers.get(DEBUG) == "true":
            found += headers.for_debugging(decision, selection, routed.signals)
            if chosen := self._tools:
                best = max(chosen.scores.values(), default=None)
                found += headers.for_tools(chosen.counted, chosen.offered, best, self._steps["tools"].seconds)
        return found

    def _client_headers(self, routed: Routed, head: ResponseHead) -> list[tuple[str, str]]:
        found = self._own_headers(routed)
        if self._recall and self._recall.outcome:
            found += headers.for_cache_miss(self._recall.outcome)
        timing = headers.server_timing(sum(routed.seconds.values()), routed.decide_seconds, self._router_seconds)
        backend = head.headers.get(headers.SERVER_TIMING)
        found.append((headers.SERVER_TIMING, f"{backend}, {timing}" if backend else timing))
        return found

    async def on_chunk(self, data: bytes, *, last: bool) -> bytes | None:
        """Take a piece of the answer; return what goes on in its place, None for the piece itself.

        ``last``: nothing follows; then ``data`` may be empty. Call it once with it, however the answer ends.
        """
        if self._answer is None:
            return None
        self._received += len(data)
        if data:
            self._said_all = self._received == self._expected or data[-_TAIL:].rstrip().endswith(_DONE)
        if self._recall:
            self._recall.feed(data)
        changed = await self._answer.feed(data, last=last)
        if self._first_token is None and self._answer.began:
            self._first_token = self._engine.clock() - self._began
        return changed

    @property
    def _good(self) -> bool:
        """Whether others may be given the answer: guards have looked at all of it, and nothing failed on the way.

        Of what cannot be read (compressed) only the guards' word counts; it is not kept for another reason.
        """
        if self._error or (self._answer and not self._answer.checked):
            return False
        verdicts = self._verdicts + (self._answer.verdicts if self._answer else ())
        unsure = any(verdict.action == "block" or verdict.error for verdict in verdicts)
        return not unsure and not (self._tools and self._tools.unknown)

    def on_failure(self, error: RequestError, *, answers: bool) -> None:
        """Something around us failed. ``answers``: the client gets ``error`` instead of what we said."""
        if answers:
            self._status = error.status
        self._error = error.code or error.type

    def on_end(self, *, aborted: bool) -> None:
        """The exchange is over; tell the observer."""
        # A client that has everything may go before Envoy has told us of the end.
        aborted = aborted and not self._said_all
        try:
            if self._recall:
                self._recall.end(keep=not aborted and self._good, left=aborted)
        finally:
            self._engine.observer.observe(self._record(aborted=aborted))

    def _record(self, *, aborted: bool) -> Record:
        routed, answer = self._routed, self._answer
        return Record(
            path=self._head.path,
            requested_model=self._request.model if self._request else "",
            status=self._status,
            decision=routed.decision if routed else None,
            selection=routed.selection if routed and not routed.blocked else None,
            signals=routed.signals if routed else {},
            signal_seconds=routed.seconds if routed else {},
            decide_seconds=routed.decide_seconds if routed else 0.0,
            router_seconds=self._router_seconds,
            waited_seconds=self._waited,
            total_seconds=self._engine.clock() - self._began,
            first_token_seconds=self._first_token,
            usage=answer.usage if answer else None,
            verdicts=self._verdicts + (answer.verdicts if answer else ()),
            recalled=self._recall.outcome if self._recall else None,
            tools=self._tools.counted if self._tools else None,
            steps=self._steps,
            request_id=self._head.headers.get("x-request-id", ""),
            trace=self._trace,
            method=self._head.method,
            began=self._arrived,
            body_seconds=self._body_seconds,
            answer_seconds=self._answer_seconds,
            stream=self._request.stream if self._request else False,
            endpoint=self._endpoint,
            system_prompt=bool(routed and routed.system_prompt and self._head.path == _CHAT),
            error=self._error,
            aborted=aborted,
        )
