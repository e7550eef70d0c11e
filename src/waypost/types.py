"""The values that travel through the pipeline. Frozen, without behaviour; imports nothing of ours.

The vocabulary is that of the whole project: *signal* (a measured fact) → *rule* → *decision* (a named route and
why it won) → *selection* (one model of that decision) → *actions* (edits, an immediate answer).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "Decision",
    "Effort",
    "Forward",
    "GuardAction",
    "GuardName",
    "Message",
    "Recalled",
    "Record",
    "Reply",
    "Request",
    "RequestHead",
    "ResponseHead",
    "ResponseStart",
    "Selection",
    "SignalResult",
    "Step",
    "ToolChoice",
    "Trace",
    "Truth",
    "Usage",
    "Verdict",
    "Wire",
]

Wire = Literal["chat", "completions"]

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
"""How hard a model is asked to reason; OpenAI's words."""

GuardName = Literal["jailbreak", "pii"]

GuardAction = Literal["block", "route", "restrict_models", "mask", "log", "allow"]
"""What a guard does; ``allow`` is to go on without knowing, as the configuration says for a guard that fails."""

Truth = bool | None
"""Kleene's three values: True, False, and None for *unknown*."""


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The head of an HTTP request. Header names are lower case.

    ``path`` has no query, no escapes or control characters, no ``.`` or ``..``, and no slash too many.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """The head of the backend's answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    ``text`` joins the text parts, and the strings in tool-call arguments, with newlines; it is empty when the message
    has none (an image).
    """

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """What was understood of a client's request. The bytes themselves stay in the wire's document."""

    wire: Wire
    model: str
    messages: tuple[Message, ...]
    user_text: str
    """The text that is classified: the last user message, or everything else joined when there is none."""
    stream: bool = False
    tools: int = 0
    """How many tools the client offers."""


@dataclass(frozen=True, slots=True)
class SignalResult:
    """What one kind of signal measured on one request.

    ``matched`` holds the names that are true (``{"math"}``); any other name is false. When ``unknown`` is not
    empty the measurement failed, it says why, and every name is unknown.
    """

    kind: str
    matched: frozenset[str] = frozenset()
    scores: Mapping[str, float] = field(default_factory=dict)
    """Per name, in [0, 1] for probabilities; what else it may be is said by the signal."""
    threshold: float | None = None
    unknown: str = ""
    unknown_names: frozenset[str] = frozenset()
    """Names that alone are unknown (a regular expression that ran out of time); the others were measured."""
    skipped_tokens: int = 0
    """Tokens that the work cap left unread; an estimate where there are very many."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The route that won, and why. ``name`` is empty when no rule held and the default model answers."""

    name: str
    reasons: tuple[str, ...]
    """Human-readable, most important first: ``domain is math (0.93 ≥ 0.50)``."""
    confidence: float
    """In [0, 1]: the weakest score of an ``all``, the strongest of an ``any``; 1.0 for facts."""
    rejected: tuple[str, ...] = ()
    """One line for each decision of higher priority that did not hold or stayed unknown."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The model that will answer."""

    model: str
    score: float | None
    reason: str
    reasoning: bool | None = None
    """True and False are written into the request; None leaves the client's own fields alone."""
    effort: Effort | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guard found in a request or an answer, or why it could not tell, and what it does about it."""

    guard: GuardName
    action: GuardAction
    found: Mapping[str, float] = field(default_factory=dict)
    """Kinds of attack, or types of personal data, with the score of each; the highest first."""
    error: str = ""
    """Why it cannot tell, or not of everything."""
    unread_tokens: int = 0
    """What the work cap left unread; an estimate where there is very much. Then ``error`` says so."""
    in_answer: bool = False
    """It is about the model's answer, not about the request."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the backend reported them."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Reply:
    """An action: answer the client at once, without a backend."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Forward:
    """An action: send the request on, changed."""

    set_headers: tuple[tuple[str, str], ...] = ()
    """Headers to set for the backend, lower case; each overwrites what the client sent."""
    remove_headers: tuple[str, ...] = ()
    body: bytes | None = None
    """The new body, or None to leave the client's bytes as they are."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One request's place in a distributed trace (W3C Trace Context). Ids are lower-case hex and never all zeros."""

    trace_id: str
    """32 digits."""
    span_id: str
    """16 digits: of waypost's own span."""
    upstream_id: str
    """16 digits: of the span around the backend's answer, which is the parent of whatever the backend traces."""
    parent_id: str = ""
    """16 digits: of the client's span; empty when the trace begins here."""
    sampled: bool = False
    """Whether its spans are kept; decided once, by whoever began the trace."""
    set_headers: tuple[tuple[str, str], ...] = ()
    """For the backend; empty when waypost itself does not trace, so that a client's own pass untouched."""
    remove_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recalled:
    """What came of asking the cache."""

    hit: bool
    reason: str
    """The layer that hit, or why nothing was served."""
    similarity: float | None = None
    """In [0, 1]; of a hit."""


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """What came of choosing a request's tools, without what the client calls its own."""

    mode: Literal["add", "filter", "replace"]
    offered: int
    """Tools that the model is sent."""
    selected: int = 0
    """Tools that were chosen for their score."""
    added: tuple[str, ...] = ()
    """Names of the operator's tools that were put in."""
    removed: int = 0
    """The client's tools that were taken out."""
    tokens_saved: int = 0
    """Estimated prompt tokens that this spared; negative where tools were added."""
    unknown: str = ""
    """Why nothing could be chosen."""


@dataclass(frozen=True, slots=True)
class Step:
    """When something was done, in seconds."""

    start: float
    """From the request's head."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Record:
    """What happened to one request, without any of its content. Times are in seconds."""

    path: str
    requested_model: str
    """As the client wrote it; empty for requests that were not read."""
    status: int
    """What the client was sent; 0 when it left before an answer began."""
    decision: Decision | None = None
    """None for requests that were not routed."""
    selection: Selection | None = None
    signals: Mapping[str, SignalResult] = field(default_factory=dict)
    signal_seconds: Mapping[str, float] = field(default_factory=dict)
    decide_seconds: float = 0.0
    router_seconds: float = 0.0
    """waypost's own share: from the whole body to the answer for Envoy, without ``waited_seconds``."""
    waited_seconds: float = 0.0
    """What passed within that time while it waited for the answer to an identical request."""
    total_seconds: float = 0.0
    """From the request's head to the end of the answer."""
    first_token_seconds: float | None = None
    """From the request's head to the first piece of a streamed answer with content, or to a whole answer's head."""
    usage: Usage | None = None
    verdicts: tuple[Verdict, ...] = ()
    """Of the guards that found something or could not tell, in the order in which they acted."""
    recalled: Recalled | None = None
    """None when the cache was not asked."""
    tools: ToolChoice | None = None
    """None when there was no choice to make."""
    steps: Mapping[Literal["cache", "tools"], Step] = field(default_factory=dict)
    """When the cache was asked and tools were chosen, where that was done."""
    request_id: str = ""
    """Envoy's id of the request; empty without an Envoy that gives one."""
    trace: Trace | None = None
    """None when the observer follows no traces."""
    method: str = ""
    began: float = 0.0
    """Unix time of the request's head; 0 when it was not taken."""
    body_seconds: float = 0.0
    """From the request's head to its whole body, with which waypost's own work begins."""
    answer_seconds: float | None = None
    """From the request's head to the head of the backend's answer."""
    stream: bool = False
    """The client asked for a stream."""
    endpoint: str = ""
    """``host:port`` of the backend, where that was waypost's to choose."""
    system_prompt: bool = False
    """The decision's own system prompt was put in."""
    error: str = ""
    """Code of the error that waypost answered with; empty when there was none."""
    aborted: bool = False
    """The client left before the answer was complete."""


@dataclass(frozen=True, slots=True)
class ResponseStart:
    """What to do with the head of the backend's answer, and whether its body is wanted."""

    set_headers: tuple[tuple[str, str], ...] = ()
    """Headers to set for the client, lower case; each overwrites what the backend sent."""
    remove_headers: tuple[str, ...] = ()
    read_body: bool = False
    """True: show every piece of the body as it passes."""
    changes_body: bool = False
    """The pieces may be changed: none of them may pass without us, and their length is not known."""
