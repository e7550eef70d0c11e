"""Secrets: where they may come from, what is said of those that are not there, and how renewed ones are taken."""

from __future__ import annotations

import pytest

from waypost.config.secret import Secret
from waypost.errors import SetupError

POOL = "version: 1\nmodels: {{a: {{endpoints: [{{url: http://h:1}}], {model}}}}}\nrouting: {{default_model: a}}\n{rest}"
CANARY = "sk-canary-0123456789"


@pytest.mark.parametrize(
    ("content", "value"),
    [(b"key\n", "key"), (b"key\r\n", "key"), (b"key", "key"), (b" k e y \n", " k e y ")],
)
def test_line_ends_do_not_belong_to_it(tmp_path, content, value):
    (tmp_path / "key").write_bytes(content)
    assert Secret(None, str(tmp_path / "key"), {}).reveal() == value


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: no such file or directory"),
        (b"\n", "is empty"),
        (b"short", "holds fewer than 16 characters"),
        (b"\xff" * 20, "is not UTF-8"),
        (b"k" * 2**17, "is larger than 64 KiB"),
        (b"KEY=0123456789abc\nOTHER=1\n", "holds several lines"),
    ],
)
def test_what_a_file_lacks_is_told(tmp_path, content, why):
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(SetupError, match=f"/key {why}"):
        Secret(None, str(tmp_path / "key"), {}, shortest=16)


@pytest.fixture
def clock():
    """A clock that is a second later whenever it is asked."""
    seconds = iter(range(1000))
    return lambda: next(seconds)


def test_a_renewed_file_is_taken_and_a_bad_one_is_told_once(tmp_path, clock, caplog):
    file = tmp_path / "key"
    file.write_text("one")
    secret = Secret(None, str(file), {}, clock=clock)
    new = tmp_path / "new"
    new.write_text("two")
    new.replace(file)
    assert secret.reveal() == "two"
    file.write_text("")
    assert [secret.reveal() for _ in range(3)] == ["two"] * 3
    assert [record.getMessage() for record in caplog.records] == [f"the secret of before stays in use: {file} is empty"]
    file.unlink()
    assert secret.reveal() == "two"


def test_a_file_is_not_looked_at_in_every_request(tmp_path):
    file = tmp_path / "key"
    file.write_text("one")
    secret = Secret(None, str(file), {}, clock=lambda: 0.0)
    file.write_text("two and three")
    assert secret.reveal() == "one"


def test_nothing_shows_it():
    secret = Secret("KEY", None, {"KEY": CANARY})
    assert CANARY not in f"{secret} {secret!r}"


@pytest.mark.parametrize(
    ("model", "rest", "told"),
    [
        ("api_key_file: /none", "", "models.a.api_key_file: /none cannot be read: no such file or directory; it must"),
        ("api_key_file: /x, api_key_env: X", "", "models.a: takes one of api_key_env or api_key_file, not"),
        ("", "api: {tokens: [{name: t}]}", "api.tokens[0]: needs env or file"),
        ("", "api: {tokens: [{name: t, env: T, file: /t}]}", "takes one of env or file, not env and file"),
        ("", "api: {tokens: [{name: t, env: SHORT}]}", "api.tokens[0].env: environment variable 'SHORT' holds fewer"),
        ("", "api: {tokens: [{name: t, file: /none}]}", "api.tokens[0].file: /none cannot be read"),
        ("", "cache: {backend: redis, url_file: /none}", "cache.url_file: /none cannot be read"),
        ("", "cache: {backend: redis, url_env: NONE}", "cache.url_env: environment variable 'NONE' is not set"),
        ("", f"cache: {{backend: redis, url: 'redis://:{CANARY}@h'}}", "cache.url: a user or password in a URL is not"),
        ("", "cache: {backend: redis, url: '${URL}'}", "cache.url: a user or password in a URL is not allowed"),
        ("", f"cache: {{backend: redis, url_env: {CANARY}}}", "cache.url_env: needs the name of an environment var"),
        ("", "cache: {user_header: 'A B'}", "cache.user_header: expected text that matches"),
    ],
)
def test_what_is_refused_at_the_start(complaints, model, rest, told):
    environ = {"SHORT": "short", "URL": f"redis://:{CANARY}@h"}
    (line,) = complaints(POOL.format(model=model or "served_as: a", rest=rest), environ)
    assert told in line
    assert line.startswith("f:")
    assert CANARY not in line
