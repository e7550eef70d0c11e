from __future__ import annotations

import pytest

from waypost.serve.extproc import messages
from waypost.serve.extproc.proto.extproc_pb2 import ProcessingResponse
from waypost.types import Forward, Reply, ResponseStart


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (messages.changed_head(Forward()), "request_headers"),
        (messages.changed_body(Forward()), "request_body"),
        (messages.changed_response_head(ResponseStart(), read_live=False), "response_headers"),
        (messages.immediate(Reply(0, b"")), "immediate_response"),
        (messages.piece("request_body", b"", end_of_stream=False), "request_body"),
        (messages.piece("response_body", b"", end_of_stream=False), "response_body"),
    ],
)
def test_a_change_of_nothing_is_an_answer_too(message: ProcessingResponse, kind: str) -> None:
    assert ProcessingResponse.FromString(message.SerializeToString()).WhichOneof("response") == kind
