"""Between Envoy's header maps and ours.

Envoy sends names in lower case and values as bytes. A name that occurs more than once becomes one value, joined in
order with ``", "`` as RFC 9110 §5.3 allows (``cookie`` with ``"; "``, RFC 9113 §8.2.3); ``set-cookie``, which cannot be
joined, keeps its last value. Pseudo-headers do not show, except that ``:authority`` is read as ``host``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from posixpath import normpath
from typing import Final
from urllib.parse import unquote

from waypost.serve.extproc.proto.extproc_pb2 import HeaderMap, HeaderMutation, HeaderValue, HeaderValueOption
from waypost.types import RequestHead, ResponseHead

__all__ = ["mutate", "request_head", "response_head"]

_JOINED_WITH: Final = {"cookie": "; ", "set-cookie": None}
_SLASHES: Final = re.compile("/+")
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f]")
"""The routes of Starlette overlook a newline at the end."""
_OVERWRITE: Final = HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD  # protobuf's default would append


def request_head(headers: HeaderMap) -> RequestHead:
    """Read a request's head. A missing ``:method`` or ``:path`` is empty."""
    fields, pseudo = _read(headers)
    if ":authority" in pseudo:
        fields.setdefault("host", pseudo[":authority"])
    return RequestHead(pseudo.get(":method", ""), _path(pseudo.get(":path", "")), fields)


def response_head(headers: HeaderMap) -> ResponseHead:
    """Read an answer's head. A missing or odd ``:status`` is 0."""
    fields, pseudo = _read(headers)
    status = pseudo.get(":status", "")
    return ResponseHead(int(status) if status.isdecimal() else 0, fields)


def mutate(into: HeaderMutation, set_headers: Iterable[tuple[str, str]], remove_headers: Iterable[str] = ()) -> None:
    """Write a change of headers into a message: each header that is set overwrites all of its name."""
    into.SetInParent()  # a change of nothing is an answer too
    into.remove_headers.extend(remove_headers)
    for name, value in set_headers:
        into.set_headers.add(header={"key": name, "raw_value": value.encode()}, append_action=_OVERWRITE)


def _path(target: str) -> str:
    """Read a request target as the most lenient backend would: what one of them takes for a chat is to be judged."""
    path = _SLASHES.sub("/", _CONTROLS.sub("", unquote(target.partition("?")[0])))
    return normpath(path) if path.startswith("/") else path


def _read(headers: HeaderMap) -> tuple[dict[str, str], dict[str, str]]:
    fields: dict[str, str] = {}
    pseudo: dict[str, str] = {}
    for header in headers.headers:
        name = header.key.lower()
        value = _text(header)
        if name.startswith(":"):
            pseudo[name] = value
        elif name in fields and (separator := _JOINED_WITH.get(name, ", ")):
            fields[name] += separator + value
        else:
            fields[name] = value
    return fields, pseudo


def _text(header: HeaderValue) -> str:
    # Bytes that are not UTF-8 are escaped, not replaced: two different values must never look the same.
    return header.raw_value.decode("utf-8", "backslashreplace") if header.raw_value else header.value
