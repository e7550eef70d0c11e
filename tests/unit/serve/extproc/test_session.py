from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.errors import BadRequest, RouterFailed, SetupError
from waypost.serve.extproc.messages import CONTINUE, DETAILS, PIECE_BYTES
from waypost.serve.extproc.proto.extproc_pb2 import (
    CommonResponse,
    HeaderMap,
    HeaderValue,
    HttpBody,
    HttpHeaders,
    HttpTrailers,
    ProcessingMode,
    ProcessingRequest,
    ProcessingResponse,
    ProtocolConfiguration,
)
from waypost.serve.extproc.session import BodyMode, Session
from waypost.types import Forward, Reply, ResponseStart

MAX_BODY = 2**20
BOTH = pytest.mark.parametrize("mode", ["buffered", "full_duplex_streamed"])
ROUTED = Forward((("x-selected-model", "math"),), ("x-debug",))


def session(engine: Any, mode: BodyMode = "buffered") -> Session:
    return Session(lambda: engine, mode, MAX_BODY)


def head(path: str = "/chat", *, end: bool = False, **config: Any) -> ProcessingRequest:
    pairs = ((":method", "POST"), (":path", path), ("x-request-id", "r-1"))
    return ProcessingRequest(
        request_headers=HttpHeaders(
            headers=HeaderMap(headers=[HeaderValue(key=key, raw_value=value.encode()) for key, value in pairs]),
            end_of_stream=end,
        ),
        protocol_config=ProtocolConfiguration(**config) if config else None,
    )


def body(data: bytes, *, end: bool = True) -> ProcessingRequest:
    return ProcessingRequest(request_body=HttpBody(body=data, end_of_stream=end))


def response(*, end: bool = False) -> ProcessingRequest:
    headers = HeaderMap(headers=[HeaderValue(key=":status", raw_value=b"200")])
    return ProcessingRequest(response_headers=HttpHeaders(headers=headers, end_of_stream=end))


def chunk(data: bytes, *, end: bool = False) -> ProcessingRequest:
    return ProcessingRequest(response_body=HttpBody(body=data, end_of_stream=end))


TRAILERS = ProcessingRequest(request_trailers=HttpTrailers())
RESPONSE_TRAILERS = ProcessingRequest(response_trailers=HttpTrailers())


def set_headers(common: CommonResponse) -> dict[str, str]:
    return {option.header.key: option.header.raw_value.decode() for option in common.header_mutation.set_headers}


def kinds(answers: list[ProcessingResponse]) -> list[str | None]:
    return [answer.WhichOneof("response") for answer in answers]


async def talk(session: Session, *messages: ProcessingRequest) -> list[ProcessingResponse]:
    return list(itertools.chain.from_iterable([await session.handle(message) for message in messages]))


async def test_buffered_waits_for_the_body_and_changes_it(engine: Any) -> None:
    engine.at_body = lambda _: Forward((("x-selected-model", "math"),), ("x-debug",), b"{new}")
    first, second = await talk(session(engine), head("/v1/chat?x=1"), body(b"{}"))

    assert (engine.head.path, engine.body) == ("/v1/chat", b"{}")
    assert first == CONTINUE["request_headers"]
    change = second.request_body.response
    assert set_headers(change) == {"x-selected-model": "math", "content-length": "5"}
    assert list(change.header_mutation.remove_headers) == ["x-debug"]
    assert change.body_mutation.body == b"{new}"
    assert change.clear_route_cache


async def test_a_body_left_alone_keeps_its_length(engine: Any) -> None:
    *_, answer = await talk(session(engine), head(), body(b"{}"))
    assert set_headers(answer.request_body.response) == {"x-selected-model": "math"}
    assert not answer.request_body.response.HasField("body_mutation")


@given(
    cuts=st.lists(st.integers(0, 3 * PIECE_BYTES), max_size=8),
    size=st.sampled_from([0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES]),
    grown=st.sampled_from([None, 0, 1, PIECE_BYTES, 2 * PIECE_BYTES + 7]),
    trailers=st.booleans(),
)
async def test_a_streamed_body_is_whole_however_it_is_cut(
    cuts: list[int], size: int, grown: int | None, trailers: bool
) -> None:
    engine = _Recorder(None if grown is None else b"n" * grown)
    data = bytes(itertools.islice(itertools.cycle(range(251)), size))
    edges = [0, *sorted(min(cut, size) for cut in cuts), size]
    parts = [data[start:stop] for start, stop in itertools.pairwise(edges)]
    # Envoy marks the end on the last piece, on an empty one after it, or by trailers.
    last = [TRAILERS] if trailers else [body(b"")]

    subject = session(engine, "full_duplex_streamed")
    assert await talk(subject, head(), *(body(part, end=False) for part in parts)) == []
    answers = await talk(subject, *last)

    expected = data if grown is None else engine.new_body
    streamed = [answer.request_body.response.body_mutation.streamed_response for answer in answers[1:]]
    streamed = streamed[:-1] if trailers else streamed
    assert engine.body == data
    assert kinds(answers)[0] == "request_headers"
    assert kinds(answers)[-1] == ("request_trailers" if trailers else "request_body")
    assert answers[0].request_headers.response.clear_route_cache
    assert set_headers(answers[0].request_headers.response).get("content-length") == (
        None if grown is None else str(grown)
    )
    assert b"".join(piece.body for piece in streamed) == expected
    assert max(len(piece.body) for piece in streamed) <= PIECE_BYTES
    assert [piece.end_of_stream for piece in streamed] == [False] * (len(streamed) - 1) + [not trailers]


class _Recorder:
    def __init__(self, new_body: bytes | None) -> None:
        self.new_body = new_body
        self.body = b""

    def open(self, _: object) -> _Recorder:
        return self

    def on_headers(self) -> None:
        return None

    async def on_body(self, body: bytes) -> Forward:
        self.body = body
        return Forward((), (), self.new_body)


async def test_what_passes_at_its_head_is_never_collected(engine: Any) -> None:
    engine.at_head = ROUTED
    (answer,) = await talk(session(engine), head("/files"))
    assert set_headers(answer.request_headers.response) == {"x-selected-model": "math"}
    assert answer.request_headers.response.clear_route_cache
    assert answer.mode_override.request_body_mode == ProcessingMode.NONE
    assert answer.HasField("mode_override")

    first, *rest = await talk(
        session(engine, "full_duplex_streamed"), head(), body(b"ab", end=False), body(b"", end=True), TRAILERS
    )
    assert not first.HasField("mode_override")
    pieces = [piece.request_body.response.body_mutation.streamed_response for piece in rest[:2]]
    assert [(piece.body, piece.end_of_stream) for piece in pieces] == [(b"ab", False), (b"", True)]
    assert rest[2] == CONTINUE["request_trailers"]
    assert engine.body is None


async def test_a_body_shown_although_not_wanted_continues(engine: Any) -> None:
    engine.at_head = ROUTED
    *_, answer = await talk(session(engine), head(), body(b"x"))
    assert answer == CONTINUE["request_body"]


@BOTH
async def test_a_request_without_body_is_judged_at_its_head(engine: Any, mode: BodyMode) -> None:
    (answer,) = await talk(session(engine, mode), head(end=True))
    assert engine.body == b""
    assert set_headers(answer.request_headers.response) == {"x-selected-model": "math"}


@BOTH
@pytest.mark.parametrize("at", ["head", "body"])
async def test_a_reply_ends_the_talk(engine: Any, mode: BodyMode, at: str) -> None:
    reply = Reply(404, b"{}", (("content-type", "application/json"), ("x-a", "b")))
    if at == "head":
        engine.at_head = reply
    else:
        engine.at_body = lambda _: reply
    subject = session(engine, mode)
    answers = await talk(subject, head(), body(b"a"), body(b"b"), TRAILERS)

    (immediate,) = [answer.immediate_response for answer in answers if answer.HasField("immediate_response")]
    assert answers[-1].immediate_response == immediate
    assert (immediate.status.code, immediate.body, immediate.details) == (404, b"{}", DETAILS)
    sent = {option.header.key: option.header.raw_value for option in immediate.headers.set_headers}
    assert sent == {"content-type": b"application/json", "x-a": b"b"}
    subject.close()
    assert engine.ends == [False]


@BOTH
async def test_a_wrong_request_is_answered_in_openais_shape(engine: Any, mode: BodyMode) -> None:
    def refuse(_: bytes) -> Forward:
        raise BadRequest("No messages.", param="messages")

    engine.at_body = refuse
    *_, answer = await talk(session(engine, mode), head(), body(b"{}"))
    assert answer.immediate_response.status.code == 400
    assert json.loads(answer.immediate_response.body)["error"]["param"] == "messages"
    assert engine.ends == [False]


@BOTH
async def test_a_body_over_the_cap_is_413(engine: Any, mode: BodyMode) -> None:
    pieces = [body(bytes(MAX_BODY + 1))] if mode == "buffered" else [body(bytes(MAX_BODY), end=False), body(b"x")]
    *_, answer = await talk(session(engine, mode), head(), *pieces)
    assert answer.immediate_response.status.code == 413
    assert engine.body is None


async def test_the_answers_head_is_changed_and_its_body_read_live(engine: Any) -> None:
    engine.start = ResponseStart((("x-vsr-selected-model", "math"),), ("x-internal",), read_body=True)
    subject = session(engine)
    answers = await talk(subject, head(), body(b"{}"), response(), chunk(b"a"), chunk(b"b"), chunk(b"", end=True))

    start, *rest = answers[2:]
    change = start.response_headers.response
    assert set_headers(change) == {"x-vsr-selected-model": "math"}
    assert list(change.header_mutation.remove_headers) == ["x-internal"]
    assert start.mode_override.response_body_mode == ProcessingMode.STREAMED
    assert rest == [CONTINUE["response_body"]] * 3
    assert (engine.response.status, engine.chunks, engine.lasts) == (200, [b"a", b"b", b""], [False, False, True])
    subject.close()
    assert engine.ends == [False]


async def test_beside_a_streamed_request_no_override_is_sent(engine: Any) -> None:
    engine.start = ResponseStart(read_body=True)
    *_, answer = await talk(session(engine, "full_duplex_streamed"), head(), body(b"{}"), response())
    assert not answer.HasField("mode_override")


FDS = {"request_body_mode": "FULL_DUPLEX_STREAMED", "response_body_mode": "FULL_DUPLEX_STREAMED"}
CHANGING = ResponseStart((), ("content-length",), read_body=True, changes_body=True)


def held_until_the_end(data: bytes, last: bool) -> bytes:
    return b"all of it" if last else b""


async def test_pieces_of_an_answer_are_replaced_one_by_one(engine: Any) -> None:
    engine.start, engine.at_chunk = CHANGING, held_until_the_end
    answers = await talk(session(engine), head(), body(b"{}"), response(), chunk(b"a"), chunk(b"", end=True))
    assert list(answers[2].response_headers.response.header_mutation.remove_headers) == ["content-length"]
    first, last = (answer.response_body.response.body_mutation for answer in answers[3:])
    assert (first.WhichOneof("mutation"), last.body) == ("clear_body", b"all of it")


async def test_the_same_in_full_duplex_in_pieces_that_envoy_likes(engine: Any) -> None:
    engine.start = CHANGING
    engine.at_chunk = lambda data, last: bytes(PIECE_BYTES + 1) if last else b""
    answers = await talk(session(engine), head(**FDS), body(b"{}"), response(), chunk(b"a"), chunk(b"b", end=True))
    sent = [answer.response_body.response.body_mutation.streamed_response for answer in answers[3:]]
    assert [(len(piece.body), piece.end_of_stream) for piece in sent] == [
        (0, False),
        (PIECE_BYTES, False),
        (1, True),
    ]


async def test_what_is_held_back_goes_before_trailers(engine: Any) -> None:
    engine.start, engine.at_chunk = CHANGING, held_until_the_end
    answers = await talk(session(engine), head(**FDS), body(b"{}"), response(), chunk(b"a"), RESPONSE_TRAILERS)
    *_, held, trailers = answers
    assert held.response_body.response.body_mutation.streamed_response.body == b"all of it"
    assert not held.response_body.response.body_mutation.streamed_response.end_of_stream
    assert trailers == CONTINUE["response_trailers"]
    assert engine.ends == [False]


async def test_trailers_without_a_place_for_what_is_held_back_are_an_error(engine: Any) -> None:
    engine.start, engine.at_chunk = CHANGING, held_until_the_end
    subject = session(engine)
    await talk(subject, head(), body(b"{}"), response(), chunk(b"a"))
    with pytest.raises(SetupError, match="FULL_DUPLEX_STREAMED"):
        await subject.handle(RESPONSE_TRAILERS)


async def test_a_reply_may_take_the_place_of_a_backends_answer(engine: Any) -> None:
    engine.start = Reply(502, b"{}")
    subject = session(engine)
    *_, answer = await talk(subject, head(), body(b"{}"), response(), chunk(b"secret", end=True))
    assert answer.immediate_response.status.code == 502
    assert engine.ends == [False]


@pytest.mark.parametrize("config", [{}, FDS])
async def test_where_changing_an_answer_fails_nothing_more_of_it_passes(engine: Any, config: dict[str, str]) -> None:
    engine.start = CHANGING
    subject = session(engine)
    await talk(subject, head(**config), body(b"{}"), response())
    failed = subject.fail(chunk(b"secret"), RouterFailed())
    later = await talk(subject, chunk(b"more", end=True))
    assert b"secret" not in failed[0].SerializeToString()
    assert b"more" not in later[0].SerializeToString()
    assert engine.chunks == []
    assert engine.ends == [False]


@pytest.mark.parametrize(
    ("read_body", "messages", "ends"),
    [
        (False, [response()], [False]),
        (False, [response(), chunk(b"a", end=True)], [False]),
        (True, [response(end=True)], [False]),
        (True, [response(), chunk(b"a", end=True)], [False]),
        (True, [response(), chunk(b"a"), RESPONSE_TRAILERS], [False]),
        (True, [response(), chunk(b"a")], [True]),
        (True, [response()], [True]),
        (True, [], [True]),
    ],
)
async def test_an_exchange_ends_exactly_once(
    engine: Any, read_body: bool, messages: list[ProcessingRequest], ends: list[bool]
) -> None:
    engine.start = ResponseStart(read_body=read_body)
    subject = session(engine)
    await talk(subject, head(), body(b"{}"), *messages)
    subject.close()
    subject.close()
    assert engine.ends == ends


async def test_closing_before_a_request_began_is_fine(engine: Any) -> None:
    session(engine).close()
    assert engine.ends == []


async def test_envoys_own_word_on_the_modes_counts(engine: Any) -> None:
    streamed = {"request_body_mode": "FULL_DUPLEX_STREAMED", "response_body_mode": "FULL_DUPLEX_STREAMED"}
    answers = await talk(session(engine), head(**streamed), body(b"{}"), response(), chunk(b"abc", end=True))
    assert kinds(answers) == ["request_headers", "request_body", "response_headers", "response_body"]
    echoed = answers[-1].response_body.response.body_mutation.streamed_response
    assert (echoed.body, echoed.end_of_stream) == (b"abc", True)


@pytest.mark.parametrize("mode", ["STREAMED", "BUFFERED_PARTIAL", "NONE"])
async def test_a_mode_that_cannot_route_is_refused(engine: Any, mode: str) -> None:
    with pytest.raises(SetupError, match="request_body_mode"):
        await session(engine).handle(head(request_body_mode=mode))


async def test_a_stream_without_request_headers_is_refused(engine: Any) -> None:
    with pytest.raises(SetupError, match="request_header_mode"):
        await session(engine).handle(body(b"{}"))


async def test_envoys_own_answer_to_what_it_refused_by_itself_passes(engine: Any) -> None:
    subject = session(engine)
    answers = await talk(subject, response(), chunk(b"{}", end=True))
    assert answers == [CONTINUE["response_headers"], CONTINUE["response_body"]]
    subject.close()
    assert (engine.head, engine.ends) == (None, [])


async def test_the_engine_is_chosen_when_the_request_begins(engine: Any) -> None:
    engines = [engine]
    subject = Session(lambda: engines[-1], "buffered", MAX_BODY)
    await talk(subject, head())
    engines.append(None)
    await talk(subject, body(b"{}"), response())
    assert (engine.body, engine.response.status) == (b"{}", 200)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (head(), "immediate_response"),
        (body(b""), "immediate_response"),
        (TRAILERS, "immediate_response"),
        (response(), "immediate_response"),
        (chunk(b"a"), "response_body"),
        (RESPONSE_TRAILERS, "response_trailers"),
    ],
)
async def test_a_failure_is_an_answer_unless_the_client_already_has_one(
    engine: Any, message: ProcessingRequest, expected: str
) -> None:
    subject = session(engine)
    await talk(subject, head())
    assert kinds(subject.fail(message, RouterFailed())) == [expected]
    assert subject.request_id == "r-1"
    subject.close()
    answered = expected == "immediate_response"
    assert engine.failures == [("internal_error", answered)]
    assert engine.ends == [not answered]


async def test_after_a_late_failure_the_engine_sees_no_more_pieces(engine: Any) -> None:
    engine.start = ResponseStart(read_body=True)
    subject = session(engine)
    await talk(subject, head(), body(b"{}"), response())
    subject.fail(chunk(b"a"), RouterFailed())
    assert await talk(subject, chunk(b"b")) == [CONTINUE["response_body"]]
    assert engine.chunks == []


async def test_an_unknown_kind_of_message_is_ignored(engine: Any) -> None:
    assert await talk(session(engine), ProcessingRequest()) == []


async def test_a_cancelled_request_is_aborted(engine: Any) -> None:
    async def never(_: bytes) -> Forward:
        return await asyncio.get_running_loop().create_future()

    engine.on_body = never
    subject = session(engine)
    await talk(subject, head())
    task = asyncio.ensure_future(subject.handle(body(b"{}")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    subject.close()
    assert engine.ends == [True]
