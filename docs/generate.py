"""Writes the reference pages that come from the code: docs/reference/configuration.md and docs/reference/cli.md.

``python docs/generate.py`` rewrites them; with ``--check`` nothing is written and the exit code is 1 when one is stale.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import typer

from waypost.cli import app
from waypost.config import schema

__all__ = ["pages"]

_HERE: Final = Path(__file__).resolve().parent
_NOTICE: Final = "<!-- Written by docs/generate.py. Do not edit: change the docstrings or the help texts. -->"
_WIDTH: Final = 100

Json = dict[str, Any]

_CONFIGURATION: Final = f"""{_NOTICE}

# Configuration: every key of `waypost.yaml`

The file has one schema. An unknown key, a dangling name or a contradiction stops the start, with file, line and what
was probably meant (`waypost check`). `waypost config init` writes a commented first file, `waypost config show` prints
a file as it is understood, with every default, `waypost config schema` prints this page's content as a JSON schema for
editors. What a running router has in force, `GET /config/router` of [the API](api.md) tells.

Any value may come from the environment: `${{NAME}}`, or `${{NAME:-default}}` when it is unset or empty; `$${{` is a
literal `${{`. Durations carry a unit (`250ms`, `5s`, `10m`, `1h`, `1d`), sizes too (`64KiB`, `50MiB`, `10MB`). Names of
models, decisions, signals and virtual models have at most 128 letters, digits and `. _ : / -`.

A changed file is taken over while requests run, except for the keys named in [reload](../how-to/reload.md).
"""

_ROOT: Final = "Only `version`, `models` and `routing` must be there."

_COMMANDS: Final = f"""{_NOTICE}

# Command line

Results go to stdout, everything else to stderr.

| exit code | meaning |
|---|---|
| 0 | ok |
| 1 | the thing checked is wrong: a configuration, a request |
| 2 | wrong usage |
| 3 | this machine lacks something: a port, a package, a router that listens |
| 130 | interrupted |

`WAYPOST_CONFIG` names the configuration, `WAYPOST_HOME` the directory of what it can make again (default
`~/.cache/waypost`), `WAYPOST_ENVOY` another Envoy 1.40 program, and `WAYPOST_DEBUG=1` shows the traceback of an error.
"""


def pages() -> dict[Path, str]:
    """Render every generated page, by path."""
    reference = _HERE / "reference"
    return {
        reference / "configuration.md": "\n".join((_CONFIGURATION, *_sections())),
        reference / "cli.md": "\n".join((_COMMANDS, *_help(typer.main.get_command(app), "waypost"))),
    }


def _sections() -> Iterator[str]:
    whole = schema.Config.model_json_schema(by_alias=True)
    definitions: dict[str, Json] = {**whole["$defs"], "Config": whole}
    places: dict[str, list[str]] = {}
    _find(definitions, "Config", "", places)
    titles = {name: ", ".join(f"`{place}`" for place in found) for name, found in places.items()}
    return (_section(name, definitions, titles) for name in places)


def _find(definitions: Mapping[str, Json], name: str, place: str, places: dict[str, list[str]]) -> None:
    """Note the places of each definition, what is inside a section directly after it; not those inside itself."""
    places[name] = [place]
    for key, value in definitions[name]["properties"].items():
        inside, suffix = _reference(value)
        below = f"{place}.{key}{suffix}".lstrip(".")
        if inside and inside not in places:
            _find(definitions, inside, below, places)
        elif inside and not below.startswith(places[inside][0]):
            places[inside].append(below)


def _reference(value: Json) -> tuple[str, str]:
    """Name the definition that a property leads to, and how its place is written: ``[]`` a list, ``.NAME`` a map."""
    if "$ref" in value:
        return value["$ref"].rpartition("/")[2], ""
    for branch in value.get("anyOf", ()):
        if found := _reference(branch)[0]:
            return found, _reference(branch)[1]
    if "items" in value:
        return _reference(value["items"])[0], "[]"
    inside = (*value.get("patternProperties", {}).values(), value.get("additionalProperties"))
    names = [_reference(entry)[0] for entry in inside if isinstance(entry, dict)]
    return (names[0], ".NAME") if names else ("", "")


def _section(name: str, definitions: Mapping[str, Json], titles: Mapping[str, str]) -> str:
    definition = definitions[name]
    root = name == "Config"
    title, about = ("The file", _ROOT) if root else (titles[name], _prose(definition["description"]))
    defaults = getattr(schema, name).model_construct().model_dump(mode="json", by_alias=True, warnings=False)
    lines = [f"## {title}", "", about, "", "| key | value | default | meaning |", "|---|---|---|---|"]
    for key, value in definition["properties"].items():
        inside = _reference(value)[0]
        shown = f"[`{key}`](#{_anchor(titles[inside])})" if inside else f"`{key}`"
        meaning = value.get("description") or definitions.get(inside, {}).get("description", "")
        default = "required" if key in definition.get("required", ()) else _default(value, defaults.get(key))
        lines.append(f"| {shown} | {_kind(value)} | {default} | {_prose(meaning)} |")
    return "\n".join((*lines, ""))


def _anchor(title: str) -> str:
    """Write the anchor that a heading gets."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _default(value: Json, default: object) -> str:
    if default in (None, [], {}, ""):
        return "none"
    return "its own" if _reference(value)[0] else f"`{json.dumps(default, ensure_ascii=False)}`".replace('"', "")


def _kind(value: Json) -> str:
    if "anyOf" in value or "oneOf" in value:
        kinds = [kind for kind in map(_kind, value.get("anyOf") or value["oneOf"]) if kind != "null"]
        return f"{kinds[0]}; or a list of them" if kinds[1:] == [f"list of {kinds[0]}"] else " or ".join(kinds)
    reference, suffix = _reference(value)
    if reference:
        return {"": "section", "[]": "list of sections", ".NAME": "sections by name"}[suffix]
    if "items" in value:
        return f"list of {_kind(value['items'])}"
    if options := value.get("enum"):
        return "one of " + ", ".join(f"`{option}`" for option in options)
    if "const" in value:
        return f"`{value['const']}`"
    return _scalar(value)


def _scalar(value: Json) -> str:
    if examples := value.get("examples"):
        return f"like `{examples[0]}`"
    kind: str = value["type"]
    if kind not in ("integer", "number"):
        return {"string": "text", "boolean": "`true` or `false`"}.get(kind, kind)
    low, high = value.get("minimum"), value.get("maximum")
    if low is None:
        return kind
    return f"{kind}, {low:g} or more" if high is None else f"{kind}, {low:g} to {high:,.9g}"


def _prose(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())


def _help(command: Any, name: str) -> Iterator[str]:  # noqa: ANN401  (typer keeps click's types to itself)
    settings = app.info.context_settings or {}  # what a subcommand would have from its parent
    context = command.make_context(name, ["--help"], resilient_parsing=True, **settings)
    context.terminal_width = context.max_content_width = _WIDTH
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield f"## `{name}`\n\n```text\n{text}\n```\n"
    for child, below in sorted(getattr(command, "commands", {}).items()):
        yield from _help(below, f"{name} {child}")


def main() -> int:
    """Write the pages, or compare them; returns the exit code."""
    stale = {path: text for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text}
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path} is stale: run make docs", file=sys.stderr)  # noqa: T201
        return 1 if stale else 0
    for path, text in stale.items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
