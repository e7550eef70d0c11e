"""What is seen of a file, however it is changed; where no event tells, a look now and then does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from waypost.serve import watch as module
from waypost.serve.watch import changes, digest_of_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file, in a directory of its own."""
    (tmp_path / "conf").mkdir()
    path = tmp_path / "conf" / "waypost.yaml"
    path.write_text("old")
    return path


@pytest.fixture
def opened(monkeypatch) -> list[set[Path]]:
    """The directories of each watch so far."""
    opened: list[set[Path]] = []
    real = module.awatch

    def awatch(*paths, **settings):
        opened.append(set(paths))
        return real(*paths, **settings)

    monkeypatch.setattr(module, "awatch", awatch)
    return opened


@asynccontextmanager
async def watching(path: Path) -> AsyncIterator[list[str]]:
    """Collect the contents that were found to be new."""
    seen: list[str] = []

    async def watch() -> None:
        async for _ in changes(path, digest_of_file(path)):
            seen.append(path.read_text() if path.exists() else "")  # noqa: PERF401 - looked at while it grows

    task = asyncio.create_task(watch())
    await asyncio.sleep(0)  # it has read the old content now
    try:
        yield seen
    finally:
        task.cancel()
        async with asyncio.timeout(30):
            await asyncio.wait((task,))
    assert task.cancelled()


async def until(holds: Callable[[], bool], prod: Callable[[], object] = lambda: None) -> None:
    async with asyncio.timeout(30):
        while not holds():
            prod()
            await asyncio.sleep(0.05)


async def test_only_another_content_of_the_file_counts(path):
    beside = path.parent
    async with watching(path) as seen:
        for content in ("old", "new", "new"):  # rewritten, changed, rewritten
            (beside / "draft").write_text(content)
            (beside / "draft").replace(path)
        await until(lambda: bool(seen), lambda: (beside / "log").write_text("a line"))
        path.unlink()
        path.write_text("newer")
        await until(lambda: seen[-1] == "newer", lambda: (beside / "log").write_text("another line"))
    assert [content for content in seen if content] == ["new", "newer"]


async def test_what_changed_before_the_watch_is_seen_first(path):
    async for now in changes(path, digest_of_file(path.with_name("another"))):
        assert now == digest_of_file(path)
        break


async def test_a_configmap_is_followed_from_swap_to_swap(path, opened):
    beside = path.parent
    path.unlink()
    path.symlink_to("..data/waypost.yaml")

    def swap(version: str) -> None:
        (beside / version).mkdir()
        (beside / version / "waypost.yaml").write_text(version)
        (beside / "..data_tmp").symlink_to(version)
        (beside / "..data_tmp").replace(beside / "..data")

    swap("..1")
    async with watching(path) as seen:
        for number in (2, 3):
            swap(f"..{number}")
            await until(lambda number=number: f"..{number}" in seen)
    assert seen == ["..2", "..3"]
    assert opened[0] == {beside, beside / "..1"}


async def test_the_target_of_a_link_is_watched_where_it_is(path, tmp_path, opened, monkeypatch):
    monkeypatch.setattr(module, "_LOOK_MS", 2**30)  # only an event tells
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    numbers = iter(range(10_000))
    async with watching(link) as seen:
        await until(lambda: bool(seen), lambda: path.write_text(f"new {next(numbers)}"))
    assert opened[0] == {tmp_path, path.parent}


async def test_a_directory_in_the_place_of_another_is_watched(path, tmp_path, opened, monkeypatch):
    monkeypatch.setattr(module, "_LOOK_MS", 50)
    async with watching(path) as seen:
        path.parent.rename(tmp_path / "conf.old")
        await until(lambda: seen == [""])
        path.parent.mkdir()
        path.write_text("new")
        await until(lambda: seen[-1] == "new")
        await until(lambda: opened[-1] == {path.parent})
        path.write_text("newer")
        await until(lambda: seen[-1] == "newer")


async def test_a_change_without_an_event_is_found(path, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_LOOK_MS", 50)
    between, link = tmp_path / "between", tmp_path / "link.yaml"
    between.mkdir()
    (between / "link.yaml").symlink_to(path)
    link.symlink_to(between / "link.yaml")
    (tmp_path / "another.yaml").write_text("new")
    async with watching(link) as seen:
        (between / "draft").symlink_to(tmp_path / "another.yaml")
        (between / "draft").replace(between / "link.yaml")  # in a directory that nobody watches
        await until(lambda: seen == ["new"])


async def test_links_in_a_circle_are_no_file(path):
    path.unlink()
    path.symlink_to(path)
    async with watching(path) as seen:
        path.unlink()
        path.write_text("new")
        await until(lambda: bool(seen))
    assert seen == ["new"]
