"""The one schema of ``waypost.yaml``. Every key an operator can write is here, with its meaning and default.

Values are immutable. Anything that needs two places of the file to judge (dangling names, unreachable decisions)
is in :mod:`waypost.config.checks`.
"""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from waypost.config.api import ApiConfig, ApiToken
from waypost.config.caching import CacheConfig, DecisionCache
from waypost.config.guarding import (
    AnswerCheck,
    DecisionGuard,
    DecisionJailbreak,
    DecisionPii,
    GuardConfig,
    JailbreakAnswerCheck,
    JailbreakGuard,
    PiiGuard,
)
from waypost.config.naming import Attacks, Domains, Name, Names, PiiTypes
from waypost.config.observing import Logs, Observability, Records, Tracing
from waypost.config.pool import Endpoint, HealthCheck, Model, ModelPii, Pricing, ReasoningFamily
from waypost.config.strict import Probability, Strict
from waypost.config.tls import EnvoyTls, ExtProcTls, ServerTls, TlsConfig
from waypost.config.tooling import DecisionTools, ToolsConfig
from waypost.config.units import Address, Bytes, HostPort, PositiveSeconds, Seconds, parse_bytes
from waypost.types import Effort

__all__ = [
    "BUNDLED",
    "AnswerCheck",
    "ApiConfig",
    "ApiToken",
    "CacheConfig",
    "Classifier",
    "Classifiers",
    "Config",
    "DecisionCache",
    "DecisionConfig",
    "DecisionGuard",
    "DecisionJailbreak",
    "DecisionPii",
    "DecisionTools",
    "Demo",
    "Encoder",
    "Endpoint",
    "Envoy",
    "EnvoyTls",
    "ExtProcTls",
    "GuardConfig",
    "HealthCheck",
    "JailbreakAnswerCheck",
    "JailbreakGuard",
    "KeywordSignal",
    "LanguageSignal",
    "LengthSignal",
    "Listeners",
    "Logs",
    "Model",
    "ModelChoice",
    "ModelPii",
    "Observability",
    "OutlierDetection",
    "PiiGuard",
    "Pricing",
    "Profile",
    "ReasoningFamily",
    "Records",
    "Routing",
    "Rule",
    "ServerTls",
    "Signals",
    "SystemPrompt",
    "TlsConfig",
    "ToolsConfig",
    "Tracing",
]

BUNDLED: Final = "bundled"
"""The model of a classifier that comes with waypost."""


class Listeners(Strict):
    """Where waypost listens. ``http`` is Envoy's; the others are waypost's own."""

    http: Address = HostPort("127.0.0.1", 8801)
    extproc: Address = HostPort("127.0.0.1", 50051)
    api: Address = HostPort("127.0.0.1", 8080)
    metrics: Address = HostPort("127.0.0.1", 9190)


class OutlierDetection(Strict):
    """Take an endpoint out of rotation after failures in a row."""

    consecutive_5xx: int = Field(5, ge=1)
    """So many failures in a row: answers of 5xx, connections that failed or broke."""
    base_ejection_time: PositiveSeconds = 30.0
    """How long it stays out the first time; longer each time in a row."""
    max_ejection_percent: int = Field(50, ge=0, le=100)
    """Of a model's endpoints, at most this share is out at the same time."""


class Envoy(Strict):
    """The Envoy that waypost generates a configuration for and supervises."""

    enabled: bool = True
    """False when you run Envoy yourself: waypost then serves ExtProc and the API only."""
    request_body: Literal["buffered", "full_duplex_streamed"] = "buffered"
    upstream: Literal["clusters", "original_dst"] = "clusters"
    """``clusters``: one named cluster a model. ``original_dst``: the IP address in x-gateway-destination-endpoint."""
    on_processor_failure: Literal["reject", "pass"] = "reject"
    """What Envoy does when waypost is gone: answer 5xx, or send the request unrouted to the default model."""
    message_timeout: PositiveSeconds = 5.0
    """How long waypost may take to decide; ``cache.wait`` comes on top where there is a cache."""
    connect_timeout: PositiveSeconds = 2.0
    request_timeout: Seconds = 600.0
    """How long a backend may be silent, before its answer or within it; 0s: no limit. A live stream is never cut."""
    receive_timeout: Seconds = 300.0
    """How long a client may take to send a request, head and body; 0s: no limit. The answer's time is not in it."""
    drain_timeout: Seconds = 30.0
    max_request_body: Bytes = 50 * 2**20
    """A longer request is answered with 413."""
    max_connections: int = Field(10_000, ge=1, le=1_000_000)
    """Open connections of all clients together; one more is closed at once."""
    max_requests: int = Field(16384, ge=1, le=1_000_000)
    """Circuit breaker of each cluster, and of the ExtProc cluster."""
    retries: int = Field(2, ge=0, le=10)
    """On connect failure, refused streams and resets before the request was sent: never once a backend may have read
    it."""
    outlier_detection: OutlierDetection | None = OutlierDetection()
    """Take an endpoint out of rotation after failures in a row; ``null``: never."""
    concurrency: int = Field(1, ge=1, le=256)
    """Envoy's worker threads."""

    @field_validator("max_request_body")
    @classmethod
    def _fits_a_message(cls, size: int) -> int:
        # The body travels to ExtProc as one gRPC message, whose length must stay well inside 31 bits.
        if not parse_bytes("1KiB") <= size <= parse_bytes("1GiB"):
            raise ValueError("must be between 1KiB and 1GiB")
        return size


Profile = Literal["balanced", "quality", "fast"]
"""What the encoder is run as."""


class Encoder(Strict):
    """The shared sentence encoder."""

    model: Literal["bundled"] = "bundled"
    profile: Profile = "balanced"
    """``quality``: finer arithmetic at 1.5 to 2 times the cost; ``fast``: two thirds of the layers and of the cost."""
    threads: int = Field(2, ge=1, le=64)
    """Inference worker threads; each runs one request on one core."""
    queue: int = Field(128, ge=1)
    """Requests waiting for a thread; one more and its signals are unknown."""
    deadline: PositiveSeconds = 2.0
    """A signal that takes longer is unknown."""
    max_windows: int = Field(64, ge=1)
    """Work cap of one request, in windows of 126 tokens; what is beyond it is counted and reported."""


class Classifier(Strict):
    """One classifier: waypost's own.

    Only ``domain`` may be a model of your own: what ``waypost train domain`` wrote, or a BERT, RoBERTa, XLM-R or
    ModernBERT model in Hugging Face's layout. All but ``model`` and ``threshold`` is for the latter alone, which needs
    the extra ``models``.
    """

    model: str = Field(BUNDLED, min_length=1)
    """``bundled``; for ``domain`` also a directory, or the id of a model on the Hugging Face hub
    (``organisation/name``)."""
    threshold: Probability | None = None
    """What a probability must reach; absent: the threshold that the classifier comes with."""
    revision: str | None = Field(None, min_length=1)
    """Branch, tag or commit of a model on the hub; only a commit is the same model for ever."""
    base: str | None = Field(None, min_length=1)
    """Directory or id of the model that a PEFT adapter changes; absent: what the adapter itself names."""
    mapping: str | None = Field(None, min_length=1)
    """JSON file that names the labels; absent: VSR's mapping files beside the model, else its ``id2label``."""
    prefix: str = ""
    """Put before every text, for models that were trained with one."""
    window: int = Field(128, ge=32, le=512)
    """Tokens that are read at once, special tokens included; longer texts are read in overlapping windows."""
    precision: Literal["int8", "fp32"] = "int8"
    """``fp32`` answers as the author's code does; it takes four times the memory and two to three times the time."""


class Classifiers(Strict):
    """The classifiers behind signals and guards. ``jailbreak`` and ``pii`` can only be ``bundled``."""

    domain: Classifier = Classifier()
    jailbreak: Classifier = Classifier()
    pii: Classifier = Classifier()


class KeywordSignal(Strict):
    """True when the text holds the terms, as whole words.

    Terms in Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese match anywhere.
    """

    name: Name
    any: tuple[str, ...] = ()
    """One of these must be there."""
    all: tuple[str, ...] = ()
    """Each of these must be there."""
    none: tuple[str, ...] = ()
    """None of these may be there."""
    regex: bool = False
    """The terms are regular expressions (searched with a time bound)."""
    case_sensitive: bool = False
    """False: upper and lower case are the same."""

    @model_validator(mode="after")
    def _has_terms(self) -> Self:
        if not (self.any or self.all or self.none):
            raise ValueError("needs terms in any, all or none")
        if not all(term.strip() for term in (*self.any, *self.all, *self.none)):
            raise ValueError("a term is empty")
        return self


class LanguageSignal(Strict):
    """Detection of the language of the user's text, as ISO 639-1 codes."""

    threshold: Probability = 0.5


class LengthSignal(Strict):
    """True when the conversation's estimated tokens lie in ``[min_tokens, max_tokens]``."""

    name: Name
    min_tokens: int = Field(0, ge=0)
    max_tokens: int | None = Field(None, ge=0)


class Signals(Strict):
    """Signals that need a definition before a rule can name them; what models tell is under ``classifiers``."""

    keywords: tuple[KeywordSignal, ...] = ()
    language: LanguageSignal = LanguageSignal()
    lengths: tuple[LengthSignal, ...] = ()


class Rule(Strict):
    """One key: a signal with a name (or a list of names, any of which will do), or all / any / not."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    all: tuple[Rule, ...] | None = None
    any: tuple[Rule, ...] | None = None
    not_: Rule | None = Field(None, alias="not")
    keyword: Names | None = None
    language: Names | None = None
    length: Names | None = None
    domain: Domains | None = None
    jailbreak: Attacks | None = None
    pii: PiiTypes | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        given = [name.rstrip("_") for name in type(self).model_fields if getattr(self, name) is not None]
        if not given:
            raise ValueError("a rule needs one key: all, any, not, keyword, language, length, domain, jailbreak or pii")
        if len(given) > 1:
            raise ValueError(f"a rule has one key, but this has {' and '.join(given)}; join them with all or any")
        return self


class ModelChoice(Strict):
    """A model of a decision."""

    model: str
    score: float = Field(1.0, ge=0.0)
    reasoning: bool | None = None
    """True and False are written into the request; absent leaves the client's own fields alone."""
    effort: Effort | None = None


class SystemPrompt(Strict):
    """A system prompt for the route. ``insert`` puts it before the client's own, ``replace`` instead of it."""

    text: str = Field(min_length=1)
    mode: Literal["insert", "replace"] = "insert"


class DecisionConfig(Strict):
    """A named route: when it applies and what happens then."""

    name: Name
    description: str = ""
    priority: int = 0
    """Higher wins; among equals the earlier in the file."""
    when: Rule | None = None
    """Absent: always."""
    models: tuple[ModelChoice, ...] = Field(min_length=1)
    system_prompt: SystemPrompt | None = None
    guard: DecisionGuard | None = None
    cache: DecisionCache | None = None
    tools: DecisionTools | None = None


class Routing(Strict):
    """From a request to a model."""

    virtual_models: tuple[Name, ...] = ("MoM", "auto")
    """Names that a client sends to be routed. The first is listed first in /v1/models."""
    explicit_models: Literal["pass", "route"] = "pass"
    """What a request that names a model of the pool gets: that model, or a routed one."""
    default_model: str
    signals: Signals = Signals()
    decisions: tuple[DecisionConfig, ...] = ()


class Demo(Strict):
    """A small real LLM, started beside the router (extra ``demo``); models point their endpoints to it."""

    listen: Address = HostPort("127.0.0.1", 8600)
    threads: int = Field(2, ge=1, le=64)
    max_tokens: int = Field(256, ge=1)
    """Answers end here unless the client asks for another bound."""


class Config(Strict):
    """waypost.yaml."""

    version: Literal[1]
    listeners: Listeners = Listeners()
    tls: TlsConfig = TlsConfig()
    api: ApiConfig = ApiConfig()
    envoy: Envoy = Envoy()
    models: dict[Name, Model] = Field(min_length=1)
    reasoning_families: dict[Name, ReasoningFamily] = Field({})
    encoder: Encoder = Encoder()
    classifiers: Classifiers = Classifiers()
    routing: Routing
    guard: GuardConfig = GuardConfig()
    cache: CacheConfig | None = None
    tools: ToolsConfig | None = None
    observability: Observability = Observability()
    demo: Demo | None = None

    @property
    def processing_timeout(self) -> float:
        """Seconds that Envoy waits for waypost: to decide, and for the answer to an identical request."""
        return self.envoy.message_timeout + (self.cache.wait if self.cache else 0.0)
