"""``waypost chat``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from waypost.errors import SetupError, WaypostError

__all__ = ["chat"]


def chat(
    text: Annotated[str | None, typer.Argument(help="One question; without it, a conversation.")] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="A virtual model, or one of the pool.")] = "MoM",
    url: Annotated[str, typer.Option(help="Where the router listens.")] = "http://127.0.0.1:8801",
    system: Annotated[str | None, typer.Option(help="A system prompt of your own.")] = None,
) -> None:
    """Talk to a running router.

    The answer goes to stdout; which model gave it, and why, to stderr.
    """
    messages = [{"role": "system", "content": system}] if system else []
    for question in [text] if text is not None else _questions():
        messages.append({"role": "user", "content": question})
        answer = ""
        for piece in _ask(url, model, messages):
            print(piece, end="", flush=True)
            answer += piece
        print()
        messages.append({"role": "assistant", "content": answer})


def _questions() -> Iterator[str]:
    """What is typed, until an empty line or the end of the input."""
    while True:
        print("> ", end="", file=sys.stderr, flush=True)
        if not (line := sys.stdin.readline().strip()):
            return
        yield line


def _ask(url: str, model: str, messages: list[dict[str, str]]) -> Iterator[str]:
    """Stream one answer; the choice goes to stderr."""
    import httpx

    from waypost.wire.sse import SseReader

    reader = SseReader()
    body = {"model": model, "messages": messages, "stream": True}
    try:
        with httpx.stream("POST", f"{url.rstrip('/')}/v1/chat/completions", json=body, timeout=600) as answer:
            _check(answer)
            _explain(answer.headers)
            for chunk in answer.iter_bytes():
                for data in reader.feed(chunk):
                    yield _content(data)
    except httpx.ConnectError:
        raise SetupError(f"nothing listens at {url}; start the router with: waypost serve") from None
    except httpx.HTTPError as error:
        raise WaypostError(f"the answer broke off: {error}") from None


def _check(answer: Any) -> None:  # noqa: ANN401  (httpx is imported only when it is used)
    if answer.status_code != 200:
        answer.read()
        try:
            message = answer.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            message = answer.text[:200]
        raise WaypostError(f"HTTP {answer.status_code}: {message}")


def _explain(headers: Any) -> None:  # noqa: ANN401
    names = ("decision", "model", "category", "confidence", "reasoning")
    found = [f"{name}={value}" for name in names if (value := headers.get(f"x-vsr-selected-{name}"))]
    print(f"[{' '.join(found)}]", file=sys.stderr)


def _content(data: bytes) -> str:
    if data == b"[DONE]":
        return ""
    choices = json.loads(data).get("choices") or [{}]
    return choices[0].get("delta", {}).get("content") or ""
