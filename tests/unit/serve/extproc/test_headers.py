from __future__ import annotations

import pytest

from waypost.serve.extproc.headers import mutate, request_head, response_head
from waypost.serve.extproc.proto.extproc_pb2 import HeaderMap, HeaderMutation, HeaderValue, HeaderValueOption


def header_map(*headers: tuple[str, bytes]) -> HeaderMap:
    return HeaderMap(headers=[HeaderValue(key=key, raw_value=value) for key, value in headers])


def test_a_request_head_has_method_path_without_query_and_host() -> None:
    head = request_head(
        header_map((":method", b"POST"), (":path", b"/v1/x?a=/b?c"), (":authority", b"h:1"), (":scheme", b"http"))
    )
    assert (head.method, head.path, dict(head.headers)) == ("POST", "/v1/x", {"host": "h:1"})


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/v1/chat%2Fcompletions", "/v1/chat/completions"),
        ("/v1/ch%61t/completions?a=%2F", "/v1/chat/completions"),
        ("//v1///chat/completions/", "/v1/chat/completions"),
        ("/v1/x/../chat/./completions", "/v1/chat/completions"),
        ("/v1/%2e%2e/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/chat/completions%0A", "/v1/chat/completions"),
        ("/v1/chat%252Fcompletions", "/v1/chat%2Fcompletions"),
        ("/", "/"),
        ("*", "*"),
        ("", ""),
    ],
)
def test_a_path_is_what_a_backend_may_take_it_for(target: str, path: str) -> None:
    assert request_head(header_map((":path", target.encode()))).path == path


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("Accept", b"a")], {"accept": "a"}),
        ([("x", b"1"), ("y", b"2"), ("x", b"3")], {"x": "1, 3", "y": "2"}),
        ([("cookie", b"a=1"), ("cookie", b"b=2")], {"cookie": "a=1; b=2"}),
        ([("set-cookie", b"a=1"), ("set-cookie", b"b=2, c")], {"set-cookie": "b=2, c"}),
        ([("x", "数学".encode())], {"x": "数学"}),
        ([("x", b"\xff")], {"x": "\\xff"}),
        ([("x", b"")], {"x": ""}),
    ],
)
def test_values_are_read(headers: list[tuple[str, bytes]], expected: dict[str, str]) -> None:
    assert dict(request_head(header_map(*headers)).headers) == expected


def test_a_value_may_be_text() -> None:
    headers = HeaderMap(headers=[HeaderValue(key=":path", value="/p"), HeaderValue(key="x", value="v")])
    assert (request_head(headers).path, request_head(headers).headers["x"]) == ("/p", "v")


@pytest.mark.parametrize(("status", "expected"), [(b"200", 200), (b"", 0), (b"-1", 0), ("²".encode(), 0)])
def test_a_status_is_read(status: bytes, expected: int) -> None:
    assert response_head(header_map((":status", status), ("server", b"s"))).status == expected


def test_a_header_that_is_set_overwrites() -> None:
    change = HeaderMutation()
    mutate(change, (("x-category", "数学"),), ("x-debug",))
    (option,) = change.set_headers
    assert (option.header.key, option.header.raw_value, option.header.value) == ("x-category", "数学".encode(), "")
    assert option.append_action == HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    assert list(change.remove_headers) == ["x-debug"]
