"""The configuration by HTTP: read, checked, applied in one step, rolled back."""

from __future__ import annotations

import json
import os

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


@pytest.fixture
def other(path, monkeypatch):
    """Another operator's edit, made while the API writes: ``text = other(1)`` at its first write of a file."""
    synced = os.fsync

    def prepare(write):
        text, writes = path.read_text() + "\n# another operator\n", iter(range(1, 9))

        def fsync(descriptor):
            synced(descriptor)
            if next(writes) == write:
                path.write_text(text)

        monkeypatch.setattr(os, "fsync", fsync)
        return text

    return prepare


async def test_an_edit_while_it_is_applied_is_kept(apply, read, path, followed, wider, other):
    before, text = followed.loaded.digest, other(1)
    answer = await apply(wider)
    assert error(answer) == (409, "revision_conflict")
    assert (await read())["revision"] in answer.json()["error"]["message"]
    assert (path.read_text(), followed.loaded.digest) == (text, before)
    assert {file.name for file in path.parent.iterdir()} == {path.name}


async def test_an_edit_while_it_is_rolled_back_is_kept(http, apply, read, path, wider, other):
    old = path.read_text()
    await apply(wider)
    text = other(1)
    answer = await http.post(f"{ROUTER}/rollback", json={"revision": (await read())["revision"]})
    assert error(answer) == (409, "revision_conflict")
    assert (path.read_text(), path.with_name(f"{path.name}.previous").read_text()) == (text, old)


@pytest.mark.parametrize("refusal", ["", "Envoy refuses the route"])
async def test_an_edit_before_it_is_in_force_is_kept(apply, path, followed, wider, refusal):
    edit = path.read_text() + "\n# another operator\n"
    followed.refusal, followed.before = refusal, lambda: path.write_text(edit)
    assert error(await apply(wider)) == (409, "revision_conflict")
    assert path.read_text() == edit


async def test_the_revision_is_of_what_was_applied(apply, read, path, wider, other):
    edit = other(2)  # when it is in force, and what it replaced is kept
    answer = await apply(wider)
    assert answer.status_code == 200
    assert path.read_text() == edit
    assert error(await apply(wider, answer.json()["revision"])) == (409, "revision_conflict")


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


WIKI = "# ask it at https://***@wiki.local/waypost\n"
OTHER = "# or at https://***@wiki.local/other\n"
EDITS = {  # what the client does to what it sees, and what that does to the file
    "turned round": (
        (WIKI + OTHER, OTHER + WIKI),
        (
            "# ask it at https://ops:canary1@wiki.local/waypost\n# or at https://ops:canary2@wiki.local/other\n",
            "# or at https://ops:canary2@wiki.local/other\n# ask it at https://ops:canary1@wiki.local/waypost\n",
        ),
    ),
    "removed": ((WIKI, ""), ("# ask it at https://ops:canary1@wiki.local/waypost\n", "")),
    "other words around it": (("Clone ssh", "Please clone ssh"), ("Clone ssh", "Please clone ssh")),
    "other words before two alike": (("# mirrors:", "# copies:"), ("# mirrors:", "# copies:")),
}


class TestWithPasswords:
    """A file with URLs whose password, or whatever stands before an @, no answer shows."""

    TEXT = """\
# ask it at https://ops:canary1@wiki.local/waypost
# or at https://ops:canary2@wiki.local/other
version: 1
models: {a: {endpoints: [{url: http://127.0.0.1:1}]}}
routing:
  default_model: a
  signals: {keywords: [{name: k, any: [hi]}]}
  decisions:
  - name: d
    when: {keyword: k}
    models: [{model: a}]
    system_prompt: {text: "Clone ssh://git@code.local/app.git first."}
# mirrors: ftp://canary3@mirror.local/x
# and ftp://canary4@mirror.local/x
"""

    @pytest.fixture
    def path(self, write_config):
        path = write_config("a")
        path.write_text(self.TEXT)
        return path

    async def test_what_was_read_may_be_put_back(self, apply, read, path, followed):
        shown = (await read())["text"]
        assert "canary" not in shown
        assert WIKI in shown
        assert (await apply(shown)).status_code == 200
        assert path.read_text() == self.TEXT
        assert (await apply(shown.replace("[hi]", "[hi, hello]"))).status_code == 200
        assert path.read_text() == self.TEXT.replace("[hi]", "[hi, hello]")
        assert (
            followed.loaded.config.routing.decisions[0].system_prompt.text
            == "Clone ssh://git@code.local/app.git first."
        )

    @pytest.mark.parametrize(("edit", "expected"), EDITS.values(), ids=EDITS)
    async def test_each_url_keeps_its_own(self, apply, read, path, edit, expected):
        answer = await apply((await read())["text"].replace(*edit))
        assert answer.status_code == 200, answer.text
        assert path.read_text() == self.TEXT.replace(*expected)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("https://***@wiki.local/waypost", "https://***@elsewhere.local/waypost"),
            ("https://***@wiki.local/waypost", "http://***@wiki.local/waypost"),
            (WIKI, WIKI + WIKI),
            ("version: 1", "# https://***@new.local\nversion: 1"),
            ("# and ftp", "# or ftp"),  # one of two that look alike
            ("# mirrors: ftp://***@mirror.local/x\n", ""),
        ],
        ids=["another host", "another scheme", "twice", "a new one", "between two alike", "one of two alike"],
    )
    async def test_what_cannot_be_told_is_refused(self, apply, read, path, old, new):
        text = (await read())["text"]
        assert old in text
        answer = await apply(text.replace(old, new))
        assert error(answer) == (400, "hidden_in_text")
        assert "***@" in answer.json()["error"]["message"]
        assert "canary" not in answer.text
        assert path.read_text() == self.TEXT

    async def test_a_new_password_is_refused_as_before(self, apply, read, path):
        for url in (
            "https://ops:new@wiki.local/waypost",
            "https://ops:canary1@wiki.local/waypost",
        ):  # nothing to guess at
            answer = await apply((await read())["text"].replace("https://***@wiki.local/waypost", url))
            assert error(answer) == (400, "secret_in_text")
        assert path.read_text() == self.TEXT

    async def test_a_late_client_is_told_that_first(self, apply, read, path):
        before = await read()
        path.write_text("# https://***@another.local\n" + self.TEXT)
        assert error(await apply(before["text"], before["revision"])) == (409, "revision_conflict")

    async def test_a_mistake_is_told_where_the_client_sees_it(self, apply, http, read):
        text = (await read())["text"]
        wrong = text.replace(
            '"Clone ssh://***@code.local/app.git first."}', '"Clone ssh://***@code.local/app.git", x: 1}'
        )
        refused, verdict = await apply(wrong), await http.post(f"{ROUTER}/validate", json={"text": wrong})
        (mistake,) = verdict.json()["errors"]
        assert f":{mistake['line']}:{mistake['column']} " in refused.json()["error"]["message"]
        assert wrong.splitlines()[mistake["line"] - 1][mistake["column"] - 1 :].startswith("x: 1")

    async def test_validate_takes_it_for_what_would_be_in_force(self, http, read, followed):
        text = (await read())["text"]
        for each in (text, text.replace("# mirrors", "# ftp://***@mirror.local/x mirrors")):  # which apply would refuse
            told = (await http.post(f"{ROUTER}/validate", json={"text": each})).json()
            assert (told["valid"], told["errors"], told["needs_restart"]) == (True, [], [])
        told = (await http.post(f"{ROUTER}/validate", json={"text": text})).json()
        assert told["digest"] == followed.loaded.digest

    async def test_a_rollback_brings_the_passwords_back(self, http, apply, read, path):
        text = (await read())["text"]
        await apply(text.replace(WIKI, ""))
        answer = await http.post(f"{ROUTER}/rollback", json={"revision": (await read())["revision"]})
        assert answer.status_code == 200
        assert path.read_text() == self.TEXT

    async def test_no_mistake_tells_a_password(self, http, apply, read, path):
        double = self.TEXT + "https://me:canary5@host: 1\nhttps://me:canary5@host: 2\n"
        await apply((await read())["text"].replace("[hi]", "[hi, hello]"))
        path.with_name(f"{path.name}.previous").write_text(double)
        answer = await http.post(f"{ROUTER}/rollback", json={"revision": (await read())["revision"]})
        assert error(answer) == (422, "invalid_configuration")
        told = await http.post(f"{ROUTER}/validate", json={"text": double})
        assert "canary" not in answer.text + told.text
        assert "https://***@host" in answer.text
