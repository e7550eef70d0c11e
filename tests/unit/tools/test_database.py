import json
from pathlib import Path
from typing import Any

import pytest

from waypost.errors import ConfigError
from waypost.tools.database import load_tools

WEATHER: dict[str, Any] = {
    "tool": {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get current weather information for a location",
            "parameters": {"type": "object", "properties": {"location": {"type": "string", "description": "A city"}}},
        },
    },
    "description": "Weather, temperature, forecast",
    "category": "weather",
    "tags": ["weather", "outdoors"],
}


def written(tmp_path: Path, value: object) -> Path:
    path = tmp_path / "tools_db.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=1), "utf-8")
    return path


def changed(path: str, value: object) -> list[Any]:
    entry = json.loads(json.dumps(WEATHER))
    *parents, last = path.split(".")
    here = entry
    for key in parents:
        here = here[key]
    here[last] = value
    return [entry]


def test_a_tool_is_read(tmp_path: Path) -> None:
    (tool,) = load_tools(written(tmp_path, [WEATHER]))
    assert tool.name == "get_weather"
    assert tool.description == "Get current weather information for a location Weather, temperature, forecast"
    assert tool.parameters == "location A city"
    assert tool.labels == {"weather", "outdoors"}
    assert tool.value == WEATHER["tool"]


def test_a_tool_is_sent_as_it_is_written(tmp_path: Path) -> None:
    schema = '{"x":1e3,"big":12345678901234567890123,"é":"\\u00e9"}'
    written = f'{{ "function": {{"name":"a\\u0062","parameters":{schema}}},\r\n"type":"function"}}'
    path = tmp_path / "tools.json"
    path.write_bytes(f'\ufeff[\r\n {{"description":"d", "tool" :  {written} }} ]'.encode())
    (tool,) = load_tools(path)
    assert (tool.name, tool.sent.text) == ("ab", written)


def test_no_tools_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    assert load_tools(written(tmp_path, "\ufeff[ ]\n")) == ()


@pytest.mark.parametrize(
    "value, message",
    [
        (changed("tagz", []), "[0].tagz: unknown key (did you mean 'tags'?)"),
        (changed("tags", "weather"), "[0].tags: must be an array of texts"),
        (changed("category", 3), "[0].category: must be text"),
        (changed("tool", None), "[0].tool: is missing"),
        (changed("tool.type", "tool"), '[0].tool.type: must be "function"'),
        (changed("tool.function", []), "[0].tool.function: must be an object"),
        (changed("tool.function.name", "get weather"), "[0].tool.function.name: must be 1 to 64 letters"),
        (changed("tool.function.parameter", {}), "function.parameter: unknown key (did you mean 'parameters'?)"),
        (changed("tool.function.parameters", []), "[0].tool.function.parameters: must be a JSON schema"),
        ([WEATHER, WEATHER], "[1].tool.function.name: 'get_weather' is already the name of entry [0]"),
        ([{"tool": {"type": "function", "function": {"name": "a"}}}], "[0].description: is missing"),
        ('[{"tool": 1, "tool": 2}]', "[0]: the key 'tool' stands twice in one object"),
        ('[{"tool": {"function": {"name": "a", "name": "b"}}}]', "[0]: the key 'name' stands twice in one object"),
        (["x"], "[0]: must be an object"),
        (WEATHER, "must be a JSON array of tools"),
        ("", "must be a JSON array of tools"),
        ('[{"tool": 1,}]', "not valid JSON"),
        ("[1", "not valid JSON"),
        ("[] x", "text after the array"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path: Path, value: object, message: str) -> None:
    path = written(tmp_path, value)
    with pytest.raises(ConfigError) as caught:
        load_tools(path)
    assert any(message in str(problem) for problem in caught.value.problems)
    assert str(caught.value).startswith(f"{path}:")


def test_mistakes_have_their_lines_and_all_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, '[\n  {"tool": {}},\n  7\n]')
    with pytest.raises(ConfigError) as caught:
        load_tools(path)
    assert {problem.line for problem in caught.value.problems} == {2, 3}


def test_what_a_backend_knows_more_passes(tmp_path: Path) -> None:
    (tool,) = load_tools(written(tmp_path, changed("tool.cache_control", {"type": "ephemeral"})))
    assert tool.value["cache_control"] == {"type": "ephemeral"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.json cannot read the tools"):
        load_tools(tmp_path / "nowhere.json")
