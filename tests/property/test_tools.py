"""Whatever tools stay or come, the rest of the request and every tool that stays keep their bytes."""

import json

from hypothesis import given
from hypothesis import strategies as st

from waypost.wire.document import Document
from waypost.wire.edits import Edits
from waypost.wire.encode import Written
from waypost.wire.spans import children
from waypost.wire.tools import set_offer

spaces = st.text(" \t\n\r", max_size=2)
schemas = st.sampled_from(['{"x":1.0}', "{}", '{"a":[1e3,"\\u00e9]"]}', '{ "big": 12345678901234567890123 }'])
new = st.lists(
    st.sampled_from(['{ "function":{"name":"n" , "parameters":{"a":1e3}}\n}', '{"x":"\\u00e9"}']), max_size=2
)


@st.composite
def written_tools(draw: st.DrawFn) -> list[str]:
    sources = draw(st.lists(schemas, max_size=5))
    return [
        f'{draw(spaces)}{{"type":"function","function":{{"name":"t{n}","parameters":{schema}}}}}{draw(spaces)}'
        for n, schema in enumerate(sources)
    ]


@given(st.data(), written_tools(), new)
def test_the_rest_keeps_its_bytes(data: st.DataObject, tools: list[str], added: list[str]) -> None:
    kept = data.draw(st.frozensets(st.sampled_from(range(len(tools))))) if tools else frozenset()
    head, tail = '{"messages":[{"role":"user","content":"\\u0041"}], "tools":', ' , "seed" :1.50}'
    edits = Edits(Document.parse(f"{head}[{','.join(tools)}]{tail}".encode()))
    set_offer(edits, kept, [Written(text) for text in added])
    body = edits.render().decode()
    parts = [tools[place].strip() for place in sorted(kept)]
    if not parts and not added:
        assert "tools" not in json.loads(body)
        return
    assert body.startswith(head)
    assert body.endswith(tail)
    array = body[len(head) : len(body) - len(tail)]
    assert [array[child.start : child.end] for child in children(array, 0)] == [*parts, *added]
