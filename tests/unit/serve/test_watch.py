import asyncio

from waypost.serve.watch import changes


async def test_only_another_content_of_the_file_counts(tmp_path):
    path = tmp_path / "waypost.yaml"
    path.write_text("old")
    seen = []

    async def watch():
        async for _ in changes(path):
            seen.append(path.read_text())  # noqa: PERF401 - looked at while it grows

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)  # it has read the old content now
    for content in ("old", "new", "new"):  # rewritten, changed, rewritten
        (tmp_path / "draft").write_text(content)
        (tmp_path / "draft").replace(path)
    async with asyncio.timeout(30):
        while not seen:  # a change before the watch began is seen at the next event of the directory
            (tmp_path / "log").write_text("a line")
            await asyncio.sleep(0.05)
    path.unlink()
    path.write_text("newer")
    async with asyncio.timeout(30):
        while seen[-1] != "newer":
            (tmp_path / "log").write_text("another line")
            await asyncio.sleep(0.05)
    watching.cancel()
    assert [content for content in seen if content] == ["new", "newer"]
