"""The pool: every model that can answer, its servers, and how it is told to reason."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from waypost.config.naming import PiiTypes
from waypost.config.secret import SecretFile, Variable, only_one, require_variable
from waypost.config.strict import Strict
from waypost.config.units import PositiveSeconds
from waypost.types import Effort

__all__ = ["Endpoint", "HealthCheck", "Model", "ModelPii", "Pricing", "ReasoningFamily"]

_URL: Final = r"^https?://[!-~]+$"


class HealthCheck(Strict):
    """Active HTTP health check of a model's endpoints."""

    path: str = Field("/health", pattern=r"^/")
    interval: PositiveSeconds = 10.0
    timeout: PositiveSeconds = 2.0
    unhealthy_threshold: int = Field(3, ge=1)
    healthy_threshold: int = Field(1, ge=1)


class Endpoint(Strict):
    """One server of a model. The URL's path is put before ``/v1/…``."""

    url: Annotated[str, WithJsonSchema({"type": "string", "pattern": _URL, "examples": ["http://vllm:8000"]})]
    """``http://host:8000`` or ``https://host/path``."""
    weight: int = Field(1, ge=1, le=1000)
    """Share of the model's requests, relative to its other endpoints."""

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = _split(url)
        if parts.username is not None or parts.password is not None:
            raise ValueError("a user or password in a URL is not allowed; put a key into api_key_env or api_key_file")
        if parts.query or parts.fragment:
            raise ValueError("a query or fragment in a URL is not allowed")
        return url.rstrip("/")

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return urlsplit(self.url).scheme

    @property
    def host(self) -> str:
        """A host name or an address; an IPv6 address without its brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port, 80 or 443 when the URL has none."""
        return urlsplit(self.url).port or (443 if self.scheme == "https" else 80)

    @property
    def path(self) -> str:
        """The path prefix without a slash at its end; empty when there is none."""
        return urlsplit(self.url).path.rstrip("/")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # urlsplit's own words ("Invalid IPv6 URL") do not say what to write
        usable = None
    if not usable or not re.fullmatch(_URL, url):
        raise ValueError("expected a URL such as http://host:8000 or https://host/path")
    return parts


class Pricing(Strict):
    """Prices per million tokens."""

    currency: str = "USD"
    """Costs in different currencies are never added up."""
    prompt_per_1m: float = Field(ge=0)
    completion_per_1m: float = Field(ge=0)


class ModelPii(Strict):
    """Which personal data a model may see; see ``guard.pii``."""

    allow: PiiTypes = ()
    """Types; an empty list: none at all."""


class Model(Strict):
    """One model of the pool."""

    endpoints: tuple[Endpoint, ...] = Field(min_length=1)
    served_as: str | None = None
    """The name that the backend knows; the model's own name when absent."""
    api_key_env: Variable | None = None
    """Environment variable with the key that is sent as ``Authorization: Bearer``."""
    api_key_file: SecretFile | None = None
    """File with that key instead; read again when it changes."""
    reasoning_family: str | None = None
    pricing: Pricing | None = None
    health_check: HealthCheck | None = None
    pii: ModelPii | None = None
    """Absent: everything is allowed."""

    @field_validator("api_key_env")
    @classmethod
    def _is_a_variable(cls, name: str | None) -> str | None:
        return require_variable(name, "OPENAI_API_KEY", "key")

    @model_validator(mode="after")
    def _has_one_key(self) -> Self:
        only_one(api_key_env=self.api_key_env, api_key_file=self.api_key_file)
        return self


class ReasoningFamily(Strict):
    """How a family of models is told to reason."""

    type: Literal["chat_template_kwargs", "reasoning_effort"]
    parameter: str = Field(min_length=1)
    """The key in ``chat_template_kwargs``, or the top-level field that takes the effort."""
    off: Effort = "low"
    """For ``reasoning_effort``: what is sent when reasoning is off; such families cannot always be silenced."""
