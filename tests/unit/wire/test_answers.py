import json

from waypost.errors import BadRequest, TooLarge, UnknownModel
from waypost.wire import answers


def test_an_error_has_openais_shape() -> None:
    reply = answers.error(503, "No backend.", "server_error", "unavailable")
    assert reply.status == 503
    assert ("content-type", "application/json") in reply.headers
    assert json.loads(reply.body) == {
        "error": {"message": "No backend.", "type": "server_error", "param": None, "code": "unavailable"}
    }


def test_each_error_keeps_its_status_and_fields() -> None:
    bad = answers.from_exception(BadRequest("no", code="c", param="p"))
    assert (bad.status, json.loads(bad.body)["error"]) == (
        400,
        {"message": "no", "type": "invalid_request_error", "param": "p", "code": "c"},
    )
    assert answers.from_exception(UnknownModel("x", ["a"])).status == 404
    assert answers.from_exception(TooLarge("big")).status == 413


def test_a_lone_surrogate_in_a_message_is_escaped() -> None:
    assert json.loads(answers.from_exception(BadRequest("\ud800 数")).body)["error"]["message"] == "\ud800 数"


def test_the_model_list() -> None:
    reply = answers.model_list(["MoM", "math-7b"], 1_700_000_000)
    assert reply.status == 200
    assert json.loads(reply.body) == {
        "object": "list",
        "data": [
            {"id": "MoM", "object": "model", "created": 1_700_000_000, "owned_by": "waypost"},
            {"id": "math-7b", "object": "model", "created": 1_700_000_000, "owned_by": "waypost"},
        ],
    }
