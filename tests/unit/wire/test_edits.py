from collections.abc import Callable

import pytest

from waypost.errors import BadRequest
from waypost.wire.document import Document
from waypost.wire.edits import Edits


def edited(body: str, *changes: Callable[[Edits], None]) -> str:
    edits = Edits(Document.parse(body.encode()))
    for change in changes:
        change(edits)
    return edits.render().decode()


def setting(*path: str | int, to: object) -> Callable[[Edits], None]:
    return lambda edits: edits.set(path, to)


def removing(*path: str | int) -> Callable[[Edits], None]:
    return lambda edits: edits.remove(path)


def prepending(text: str, *path: str | int) -> Callable[[Edits], None]:
    return lambda edits: edits.prepend_text(path, text)


def inserting(index: int, value: object, *path: str | int) -> Callable[[Edits], None]:
    return lambda edits: edits.insert(path, index, value)


@pytest.mark.parametrize(
    "body, change, expected",
    [
        # a value is replaced
        ('{ "a" : 1 , "b":2}', setting("a", to="x"), '{ "a" : "x" , "b":2}'),
        ('{"\\u0061":1.0}', setting("a", to=2), '{"\\u0061":2}'),
        ('{"a":{"b":[1, {"c":0}]}}', setting("a", "b", 1, "c", to=None), '{"a":{"b":[1, {"c":null}]}}'),
        ('{"a":"é"}', setting("a", to='"数学"\n'), '{"a":"\\"数学\\"\\n"}'),
        ('{"a":1}', setting("a", to={"x": [1, 2], "y": True}), '{"a":{"x":[1,2],"y":true}}'),
        # a member is added
        ("{}", setting("a", to=1), '{"a":1}'),
        ("{ }", setting("a", to=1), '{"a":1 }'),
        ('{"a":1 }', setting("b", to=2), '{"a":1,"b":2 }'),
        ('{"a":1}', setting("k", "x", "y", to=True), '{"a":1,"k":{"x":{"y":true}}}'),
        ('{"k":{"z" : 1}}', setting("k", "x", to=True), '{"k":{"z" : 1,"x":true}}'),
        ('{"k":null}', setting("k", "x", to=True), '{"k":{"x":true}}'),
        ('{"k":[1],"l":2}', setting("k", "x", to=True), '{"k":{"x":true},"l":2}'),
        ('{"a":1}', setting("\ud800", to="\udfff"), '{"a":1,"\\ud800":"\\udfff"}'),
        # something is taken out
        ('{"a":1, "b":2 ,"c":3}', removing("a"), '{"b":2 ,"c":3}'),
        ('{"a":1, "b":2 ,"c":3}', removing("b"), '{"a":1 ,"c":3}'),
        ('{"a":1, "b":2 ,"c":3}', removing("c"), '{"a":1, "b":2}'),
        ('{ "a" : 1 }', removing("a"), "{  }"),
        ('{"a":[ 1, 2, 3 ]}', removing("a", 1), '{"a":[ 1, 3 ]}'),
        ('{"a":1}', removing("z"), '{"a":1}'),
        ('{"a":1}', removing("y", "z"), '{"a":1}'),
        ('{"a":null}', removing("a", "z"), '{"a":null}'),
        # an element is put in
        ('{"a":[]}', inserting(0, "x", "a"), '{"a":["x"]}'),
        ('{"a":[ 1, 2]}', inserting(0, "x", "a"), '{"a":[ "x",1, 2]}'),
        ('{"a":[1, 2]}', inserting(1, "x", "a"), '{"a":[1, "x",2]}'),
        ('{"a":[1, 2 ]}', inserting(2, "x", "a"), '{"a":[1, 2,"x" ]}'),
        ('{"a":[1]}', inserting(9, "x", "a"), '{"a":[1,"x"]}'),
        # a text is put in front
        ('{"a":"caf\\u00e9"}', prepending('say "hi"\n\n', "a"), '{"a":"say \\"hi\\"\\n\\ncaf\\u00e9"}'),
        ('{"a":[{"t":""}]}', prepending("x", "a", 0, "t"), '{"a":[{"t":"x"}]}'),
    ],
)
def test_one_edit(body: str, change: Callable[[Edits], None], expected: str) -> None:
    assert edited(body, change) == expected


@pytest.mark.parametrize(
    "body, changes, expected",
    [
        ('{"a":1,"b":2}', [setting("b", to=3), setting("a", to=4)], '{"a":4,"b":3}'),
        ("{}", [setting("k", "x", to=1), setting("k", "y", to=2), setting("z", to=3)], '{"k":{"x":1,"y":2},"z":3}'),
        ('{"k":{"w":0}}', [setting("k", "x", to=1), setting("k", "y", to=2)], '{"k":{"w":0,"x":1,"y":2}}'),
        ('{"a":1,"b":2,"c":3}', [removing("a"), removing("b")], '{"c":3}'),
        ('{"a":1,"b":2,"c":3}', [removing("b"), removing("c")], '{"a":1}'),
        ('{"a":1,"b":2,"c":3}', [removing("a"), removing("c")], '{"b":2}'),
        ('{"a":1,"b":2}', [removing("a"), removing("b"), setting("c", to=3)], '{"c":3}'),
        ('{"a":1,"b":2}', [removing("b"), setting("c", to=3)], '{"a":1,"c":3}'),
        ('{"a":[1,2]}', [removing("a", 0), inserting(0, 9, "a")], '{"a":[9,2]}'),
        ('{"a":[1,2]}', [removing("a", 1), inserting(1, 9, "a")], '{"a":[1,9]}'),
        ('{"a":[1,2]}', [removing("a", 0), removing("a", 1), inserting(0, 9, "a")], '{"a":[9]}'),
        ('{"a":[1,2]}', [inserting(2, 8, "a"), inserting(0, 9, "a"), inserting(0, 7, "a")], '{"a":[9,7,1,2,8]}'),
        ('{"a":["x"]}', [prepending("y", "a", 0), inserting(0, "z", "a")], '{"a":["z","yx"]}'),
    ],
)
def test_edits_compose_in_any_order(body: str, changes: list[Callable[[Edits], None]], expected: str) -> None:
    assert edited(body, *changes) == expected


def test_without_edits_nothing_changes() -> None:
    body = ' {"a":1.0e+2, "b" : "\\u00e9\\/" }\n'
    assert edited(body) == body


def test_edits_are_true_when_there_are_any() -> None:
    edits = Edits(Document.parse(b'{"a":[]}'))
    assert not edits
    edits.insert(("a",), 0, 1)
    assert edits


@pytest.mark.parametrize(
    "first, second",
    [
        (setting("a", to=1), setting("a", to=1)),
        (setting("a", to=1), setting("a", "b", to=1)),
        (setting("a", "b", to=1), setting("a", to=1)),
        (removing("a"), prepending("x", "a")),
        (removing("a"), inserting(0, 1, "a")),
        (inserting(0, 1, "a"), setting("a", to=[])),
    ],
)
def test_overlapping_edits_are_a_mistake(first: Callable[[Edits], None], second: Callable[[Edits], None]) -> None:
    with pytest.raises(ValueError, match="overlapping"):
        edited('{"a":{}}', first, second)


@pytest.mark.parametrize(
    "change",
    [
        prepending("x", "number"),
        prepending("x", "absent"),
        inserting(0, 1, "number"),
        inserting(0, 1, "absent"),
        inserting(0, 1),
        setting("array", 2, to=1),
        setting("number", 0, to=1),
        setting("object", 0, to=1),
    ],
)
def test_a_path_that_leads_nowhere_is_a_mistake(change: Callable[[Edits], None]) -> None:
    with pytest.raises(LookupError):
        edited('{"number":1,"array":[1,2],"object":{"a":1}}', change)


def test_a_key_that_the_client_wrote_twice_cannot_be_edited() -> None:
    with pytest.raises(BadRequest, match="Duplicate key 'effort'"):
        edited('{"effort":"low","effort":"high"}', setting("effort", to="none"))
