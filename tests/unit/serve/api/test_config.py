"""The configuration by HTTP: read, checked, applied in one step, rolled back."""

from __future__ import annotations

import json

import pytest

ROUTER = "/config/router"


@pytest.fixture
def read(http):
    async def read():
        answer = await http.get(ROUTER)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return read


@pytest.fixture
def apply(http, read):
    """Put a text in force; builds on the present revision unless told otherwise."""

    async def apply(text, revision=None):
        return await http.put(ROUTER, json={"text": text, "revision": revision or (await read())["revision"]})

    return apply


@pytest.fixture
def wider(path, write_config):
    """Another configuration that is right, while the file stays as it is."""
    before = path.read_text()
    text = write_config("a", "b", "c").read_text()
    path.write_text(before)
    return text


def error(answer):
    return answer.status_code, answer.json()["error"]["code"]


async def test_read(read, path, followed):
    told = await read()
    assert (told["text"], told["path"]) == (path.read_text(), str(path))
    assert (told["digest"], told["reload_error"]) == (followed.loaded.digest, None)
    assert told["config"]["envoy"]["message_timeout"] == "5s"


async def test_apply(apply, read, path, followed, wider):
    answer = await apply(wider)
    assert answer.json() == {
        "status": "applied",
        "revision": (await read())["revision"],
        "digest": followed.loaded.digest,
    }
    assert path.read_text() == wider
    assert "c" in followed.loaded.config.models
    assert {file.name for file in path.parent.iterdir()} == {path.name, f"{path.name}.previous"}


async def test_a_remark_is_a_revision_but_not_another_digest(apply, read, path):
    before = await read()
    await apply(f"# a remark\r\n{before['text']}\r\n")
    after = await read()
    assert after["digest"] == before["digest"]
    assert after["revision"] != before["revision"]
    assert path.read_bytes().startswith(b"# a remark\r\n")


async def test_who_comes_late_changes_nothing(apply, read, path, wider):
    old = (await read())["revision"]
    path.write_text(path.read_text() + "\n")  # an editor was quicker
    now = path.read_text()
    answer = await apply(wider, old)
    assert error(answer) == (409, "revision_conflict")
    assert (await read())["revision"] in answer.json()["error"]["message"]
    assert path.read_text() == now


@pytest.mark.parametrize(
    ("text", "status", "code", "words"),
    [
        ("models: [", 422, "invalid_configuration", "waypost.yaml:1:"),
        ('{"version": 1}', 422, "invalid_configuration", "routing"),
        ("# https://me:secret@host\nversion: 1", 400, "secret_in_text", "a password in a URL"),
    ],
)
async def test_a_wrong_text_changes_nothing(apply, path, text, status, code, words):
    before = path.read_text()
    answer = await apply(text)
    assert error(answer) == (status, code)
    assert words in answer.json()["error"]["message"]
    assert path.read_text() == before


async def test_what_needs_a_restart_changes_nothing(apply, path):
    before = path.read_text()
    answer = await apply(json.dumps(json.loads(before) | {"envoy": {"concurrency": 2}}))
    assert error(answer) == (409, "needs_restart")
    assert "envoy.concurrency" in answer.json()["error"]["message"]
    assert path.read_text() == before


async def test_what_the_router_refuses_is_put_back(apply, read, path, followed, wider):
    before = path.read_text()
    followed.refusal = "Envoy refuses the route"
    answer = await apply(wider)
    assert error(answer) == (409, "refused")
    assert "Envoy refuses the route" in answer.json()["error"]["message"]
    assert path.read_text() == before
    assert (await read())["reload_error"] is None
    assert {file.name for file in path.parent.iterdir()} == {path.name}


async def test_a_rollback_and_the_rollback_of_it(http, apply, read, path, followed, wider):
    before = path.read_text()
    await apply(wider)
    for text in (before, wider):
        answer = await http.post(f"{ROUTER}/rollback", json={"revision": (await read())["revision"]})
        assert answer.json()["digest"] == followed.loaded.digest
        assert path.read_text() == text


async def test_nothing_to_go_back_to(http, read):
    answer = await http.post(f"{ROUTER}/rollback", json={"revision": (await read())["revision"]})
    assert error(answer) == (409, "no_previous_configuration")


async def test_a_rollback_builds_on_a_revision_too(http, apply, wider):
    await apply(wider)
    assert error(await http.post(f"{ROUTER}/rollback", json={"revision": "0" * 12})) == (409, "revision_conflict")


async def test_a_link_stays_a_link_and_modes_stay(apply, path, wider):
    target = path.parent / "mounted"
    target.mkdir()
    real = path.rename(target / path.name)
    real.chmod(0o640)
    path.symlink_to(real)
    assert (await apply(wider)).status_code == 200
    assert path.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == (wider, 0o640)


async def test_a_directory_that_cannot_be_written(apply, path, wider, monkeypatch):
    def refuse(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    answer = await apply(wider)
    assert error(answer) == (409, "not_writable")
    assert "Read-only file system" in answer.json()["error"]["message"]


class TestDemo:
    @pytest.fixture
    def path(self):
        from waypost.config.find import embedded

        return embedded("demo")

    async def test_what_ships_is_not_changed(self, apply, path, followed):
        before = path.read_text()
        assert error(await apply("version: 1")) == (409, "not_writable")
        assert path.read_text() == before


async def test_validate_tells_all_mistakes_and_changes_nothing(http, path):
    before = path.read_text()
    wrong = json.loads(before)
    wrong["modles"] = {}
    wrong["routing"]["default_model"] = "z"
    told = (await http.post(f"{ROUTER}/validate", json={"text": json.dumps(wrong, indent=1)})).json()
    assert not told["valid"]
    assert all(mistake["line"] > 1 for mistake in told["errors"])
    assert path.read_text() == before


async def test_validate_a_right_one(http, path, followed):
    right = json.loads(path.read_text())
    told = (await http.post(f"{ROUTER}/validate", json={"text": json.dumps(right)})).json()
    assert told == {"valid": True, "digest": followed.loaded.digest, "errors": [], "warnings": [], "needs_restart": []}
    right["listeners"] = {"api": "127.0.0.1:1"}
    told = (await http.post(f"{ROUTER}/validate", json={"text": json.dumps(right)})).json()
    assert (told["valid"], told["needs_restart"]) == (True, ["listeners.api"])
