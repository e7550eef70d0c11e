"""``waypost cache stats | clear | calibrate | bench``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from waypost.cli.evaluate import ConfigOption
from waypost.cli.options import JsonOption
from waypost.errors import SetupError

if TYPE_CHECKING:
    import ssl

__all__ = ["app"]

app = typer.Typer(
    help="Look into a router's cache, choose its threshold, and measure it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Api = Annotated[str, typer.Option("--api", help="Where the router's API listens.")]
_Token = Annotated[str, typer.Option("--token-env", help="Environment variable with the API's token, if it wants one.")]
_TokenFile = Annotated[Path | None, typer.Option("--token-file", help="File with that token instead.")]
_Ca = Annotated[Path | None, typer.Option("--ca", help="PEM file with the authority of an API over TLS.")]
_HERE = "http://127.0.0.1:8080"
_VARIABLE = "WAYPOST_API_TOKEN"
_SHOWN = 5
"""Of the curve in steps of a hundredth, every fifth step is printed."""


@app.command()
def stats(
    api: _Api = _HERE,
    token_env: _Token = _VARIABLE,
    token_file: _TokenFile = None,
    ca: _Ca = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the cache of a running router holds, and what came of asking it."""
    from waypost.cli.figures import print_figures

    figures = _Router(api, token_env, token_file, ca).call("GET", "stats", "entries")
    if as_json:
        print(json.dumps(figures))
    else:
        print_figures(figures)


@app.command()
def clear(
    decision: Annotated[str | None, typer.Option(help="Only answers of this decision.")] = None,
    user: Annotated[str | None, typer.Option(help="Only this user's: the header's value.")] = None,
    text: Annotated[
        str | None,
        typer.Option(
            help="Only answers to this question, word for word; if it was masked, as the model saw it (<PERSON_1>)."
        ),
    ] = None,
    api: _Api = _HERE,
    token_env: _Token = _VARIABLE,
    token_file: _TokenFile = None,
    ca: _Ca = None,
) -> None:
    """Make the cache of a running router forget; everything, unless something narrower is named."""
    named = {"decision": decision, "user": user, "text": text}
    meant = {name: value for name, value in named.items() if value is not None}
    for name, value in meant.items():
        if not value.strip():  # a variable of a script that is not set must not drop everybody's
            raise typer.BadParameter(f"--{name} is empty; leave it out if everything is meant")
    told = _Router(api, token_env, token_file, ca).call("POST", "invalidate", "dropped", meant)
    print(f"dropped {told['dropped']} entries")


@dataclass(frozen=True, slots=True)
class _Router:
    """A running router, and who we are to it."""

    api: str
    token_env: str
    token_file: Path | None
    ca: Path | None

    def call(self, method: str, what: str, told: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        """Ask its API, whose answers have the key ``told``. Raises SetupError with what it says, when it refuses."""
        import httpx

        url = f"{self.api}/api/v1/cache/{what}"
        try:
            answer = httpx.request(
                method, url, json=body, headers=self._headers(), verify=self._trust(), timeout=10, trust_env=False
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SetupError(f"no router answers at {url}: {error}; --api names another") from error
        try:
            found = answer.json()
        except ValueError:  # a proxy's page, or another program's
            found = None
        match found:
            case {"error": {"message": str(message)}} if not answer.is_success:
                raise SetupError(f"{url}: {message}")
            case dict() if answer.is_success and told in found:
                return found
        status = f"{answer.status_code} {answer.reason_phrase}".rstrip()
        raise SetupError(f"{url} answers {status}, but not as a router does; --api names another")

    def _headers(self) -> dict[str, str]:
        import os

        from waypost.config.secret import Secret

        if self.token_file:
            token: str | None = Secret(None, str(self.token_file), os.environ).reveal()
        else:
            token = os.environ.get(self.token_env)
        return {"authorization": f"Bearer {token}"} if token else {}

    def _trust(self) -> ssl.SSLContext | bool:
        import ssl

        if self.ca is None:
            return True
        try:
            return ssl.create_default_context(cafile=self.ca)
        except OSError as error:  # ssl.SSLError is one
            raise SetupError(f"{self.ca} holds no authority in PEM that can be read: {error.strerror}") from None


@app.command()
def calibrate(
    pairs: Annotated[Path, typer.Option("--pairs", help="Rows with a, b and label: .jsonl, .jsonl.gz or .csv.")],
    max_wrong: Annotated[float, typer.Option(help="Largest share of wrong hits, as 0.01.")] = 0.01,
    confidence: Annotated[float, typer.Option(help="How sure that promise is.")] = 0.95,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Choose the similarity that keeps wrong hits within a budget, from pairs of your own questions.

    Label 1: the answer to a is right for b. Label 0: it is not; those that look alike tell the most. The budget holds
    for questions of the same kind with the confidence asked for; when the pairs are too few to prove it, nothing is
    chosen and the exit code is 1. Where the checks refuse nearly all pairs labelled 0, these say nothing of the
    similarity, and the shipped one is not lowered. The table shows what other similarities would do on these pairs.
    """
    from waypost.cli.evaluate import Task, measure
    from waypost.cli.figures import print_figures
    from waypost.learn.advice import advise_similarity
    from waypost.learn.thresholds import Budget

    for name, value in (("--max-wrong", max_wrong), ("--confidence", confidence)):
        if not 0 < value < 1:
            raise typer.BadParameter(f"{name} must be between 0 and 1")
    evaluation = measure(Task.cache, pairs, config, None)
    advice = advise_similarity(evaluation, Budget(max_wrong, None, confidence))
    figures = {
        "similarity": advice["threshold"],
        "wrong_hit_rate": advice["false_positive_rate"],
        "wrong_hit_rate_at_most": advice["false_positive_bound"],
        "hit_rate": advice["recall"],
        "hit_rate_at_least": advice["recall_bound"],
        "similarity_shipped": advice["threshold_now"],
        "lookalikes": advice["lookalikes"],
        "n": advice["n"],
        "confidence": confidence,
    }
    curve = evaluation.figures["curve"]
    if as_json:
        print(json.dumps(figures | {"curve": curve}))
    else:
        print_figures(figures | {"at_the_similarity": _by_threshold(curve[::_SHOWN])})
        print(_advised(advice))


def _advised(advice: dict[str, Any]) -> str:
    if advice["kept"]:
        return (
            f"\nkeep the shipped similarity: the checks did all the work. Of {advice['different']} pairs labelled 0 "
            f"they leave {advice['lookalikes']} that come to 0.5, too few to choose a lower one by."
        )
    return f"\nput it into the configuration:\n  cache:\n    similarity: {advice['threshold']:g}"


def _by_threshold(curve: list[dict[str, float | None]]) -> dict[str, dict[str, float | None]]:
    return {
        f"{point['threshold']:.2f}": {name: rate for name, rate in point.items() if name != "threshold"}
        for point in curve
    }


@app.command()
def bench(
    entries: Annotated[int, typer.Option(min=1, help="Entries in the store.")] = 10_000,
    as_json: JsonOption = False,
) -> None:
    """Measure the store in memory on this machine: milliseconds a lookup and a store, and bytes an entry."""
    import asyncio

    from waypost.cache.measure import measure_memory
    from waypost.cli.figures import print_figures

    figures = asyncio.run(measure_memory(entries))
    if as_json:
        print(json.dumps(figures))
    else:
        print_figures(figures)
