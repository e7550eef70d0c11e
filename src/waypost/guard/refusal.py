"""What a client is told when a guard blocks its request."""

from __future__ import annotations

from typing import Final

from waypost.config.guarding import Status
from waypost.types import Reply, Request, Verdict
from waypost.wire import answers, filtered
from waypost.wire.headers import for_guards

__all__ = ["code", "refusal", "unchecked_answer"]

_DETECTED: Final = {"jailbreak": "jailbreak_detected", "pii": "pii_detected"}


def code(verdict: Verdict) -> str:
    """Name the reason for which a request is blocked."""
    if verdict.found:
        return _DETECTED[verdict.guard]
    return "request_not_checked" if verdict.unread_tokens else "guard_unavailable"


def refusal(
    verdict: Verdict, verdicts: tuple[Verdict, ...], request: Request, status: Status, *, answer_id: str, created: int
) -> Reply:
    """Answer in the model's place; ``verdict`` blocks, ``verdicts`` are all. ``answer_id`` and ``created``: for 200.

    What could not be checked is 503, or 413 for what is too long, whatever ``status`` says: the request was not at
    fault, and who sends it again may have more luck.
    """
    text = _text(verdict)
    if not verdict.found:
        status_now = 413 if verdict.unread_tokens else 503
        kind = "invalid_request_error" if verdict.unread_tokens else "server_error"
        reply = answers.error(status_now, text, kind, code(verdict))
    elif status == 403:
        param = "messages" if request.wire == "chat" else "prompt"
        reply = answers.error(403, text, "invalid_request_error", code(verdict), param)
    else:
        reply = filtered.reply(request, text, answer_id=answer_id, created=created)
    return Reply(reply.status, reply.body, (*reply.headers, *for_guards(verdicts)))


def unchecked_answer() -> Reply:
    """Answer 502 in place of a backend's answer that no guard can read."""
    message = "The backend compressed its answer, so it could not be checked and was dropped."
    return answers.error(502, message, "server_error", "answer_not_checked")


def _text(verdict: Verdict) -> str:
    if verdict.unread_tokens and not verdict.found:
        return "The request is too long to be checked, so it was not sent to a model. Send a shorter one."
    if not verdict.found:
        return "The request could not be checked, so it was not sent to a model. Try again later."
    if verdict.guard == "pii":
        return f"The request was blocked: no model here may see the personal data in it ({', '.join(verdict.found)})."
    return f"The request was blocked: it looks like an attack ({next(iter(verdict.found))})."
