"""What the README and the other pages show works: configurations, commands, links, generated pages."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer
import yaml

from waypost.cli import app
from waypost.config.find import embedded
from waypost.config.load import load, loads
from waypost.config.schema import Config

ENVIRON = {"OPENAI_API_KEY": "sk-none", "WAYPOST_READ_TOKEN": "r" * 32, "WAYPOST_OPERATE_TOKEN": "o" * 32}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(waypost|make) ([^|<>&]+)")


def test_configurations_load(pages, tmp_path, monkeypatch) -> None:
    """A block without ``version`` is a fragment: it must load on top of the starter configuration."""
    monkeypatch.chdir(tmp_path)
    trained = tmp_path / "my-domains" / "head.npz"  # what the tutorial trains before its configuration names it
    trained.parent.mkdir()
    trained.touch()
    blocks = [block for page in pages for block in page.blocks("yaml")]
    assert blocks
    for block in blocks:
        name = f"{block.page}:{block.line}"
        value = yaml.safe_load(block.text)
        if "version" in value:
            path = tmp_path / "waypost.yaml"
            path.write_text(block.text, "utf-8")
            assert load(path, ENVIRON).config.models, name
        else:
            assert value.keys() <= Config.model_fields.keys(), name
            whole = merged(yaml.safe_load(embedded("starter").read_text("utf-8")), value)
            assert loads(yaml.safe_dump(whole, allow_unicode=True), name, ENVIRON).config.models


def test_json_is_json(pages) -> None:
    for block in (block for page in pages for block in page.blocks("json")):
        json.loads(block.text)


def test_python_is_python(pages) -> None:
    for block in (block for page in pages for block in page.blocks("python")):
        compile(block.text, f"{block.page}:{block.line}", "exec")


def test_the_steps_of_the_tutorial_apply_to_the_demo(pages, tmp_path) -> None:
    """First the decision is refused for its keyword, then, with the keyword, it is taken."""
    (page,) = [page for page in pages if page.path.name == "first-steps.md"]
    decision, keyword = (block.text for block in page.blocks("yaml fragment"))
    demo = embedded("demo").read_text("utf-8").replace("    - name: code\n", f"{decision}    - name: code\n", 1)
    (refusal,) = re.findall(r"demo\.yaml:.*unknown keyword.*", page.text)
    with pytest.raises(Exception, match=re.escape(refusal)):
        loads(demo, "demo.yaml", {})
    loads(demo.replace("    keywords:\n", f"    keywords:\n{keyword}", 1), "demo.yaml", {})


def test_links_lead_somewhere(pages, root) -> None:
    dead = [
        f"{page.path}: {link}" for page in pages for link in LINK.findall(page.prose) if not exists(page.path, link)
    ]
    assert not dead


def test_commands_exist(pages, root) -> None:
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    found = [(page.path.name, *command) for page in pages for command in commands(page)]
    assert {program for _, program, *_ in found} == {"waypost", "make"}
    for page, program, *arguments in found:
        if program == "make":
            assert {word for word in arguments if "=" not in word} <= targets, (page, arguments)
        else:
            assert not unknown_words(arguments), (page, arguments)


def test_the_languages_show_the_same(root) -> None:
    """Configurations and shell commands of the two READMEs, but for their comments."""
    shown = [
        re.findall(r"```(?:yaml|sh)\n.*?```", re.sub(r" +#.*", "", (root / name).read_text("utf-8")), re.DOTALL)
        for name in ("README.md", "README.zh-CN.md")
    ]
    assert shown[0] == shown[1] != []


def test_generated_pages_are_current(root) -> None:
    run = subprocess.run(
        [sys.executable, root / "docs" / "generate.py", "--check"], check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def merged(base: Any, change: Any) -> Any:
    if isinstance(base, dict) and isinstance(change, dict):
        return base | {key: merged(base.get(key), value) for key, value in change.items()}
    return change


def exists(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True  # another site: not ours to ask in a test
    file, _, anchor = link.partition("#")
    target = (page.parent / unquote(file)).resolve() if file else page
    return target.exists() and (not anchor or unquote(anchor) in anchors(target.read_text("utf-8")))


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def commands(page: Any) -> Iterator[list[str]]:
    """The commands that a page tells to type: in shell blocks, after a prompt, and in code spans."""
    lines = [line for block in page.blocks("sh") for line in block.text.splitlines()]
    lines += [line for block in page.blocks("console") for line in block.text.splitlines() if line.startswith("$ ")]
    for line in [*lines, *SPAN.findall(page.prose)]:
        if found := COMMAND.match(line):
            yield [found[1], *shlex.split(found[2], comments=True)]


def unknown_words(arguments: list[str]) -> set[str]:
    """What of a ``waypost`` command line is no command or option of it."""
    command: Any = typer.main.get_command(app)
    words = list(arguments)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        name = words.pop(0)
        if name not in command.commands:
            return {name}
        command = command.commands[name]
    known = {"-", "-h", "--help", *(option for param in command.params for option in param.opts)}
    return {word for word in words if word.startswith("-")} - known
