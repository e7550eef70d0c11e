import pytest

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.vault import Vault

JOHN = 'John "J" O\nHara & Sons'


def find(text: str, value: str, kind: str = "PERSON") -> Finding:
    start = text.index(value)
    return Finding(start, start + len(value), kind, 1.0, "test")


def vault_of(value: str = JOHN) -> Vault:
    vault = Vault([value])
    assert vault.mask(value, [find(value, value)]) == "<PERSON_1>"
    return vault


def test_the_same_value_has_one_surrogate_in_all_texts() -> None:
    first, second = "Ann met Bob", "Bob met Ann"
    vault = Vault([first, second])
    assert vault.mask(first, [find(first, "Ann"), find(first, "Bob")]) == "<PERSON_1> met <PERSON_2>"
    assert vault.mask(second, [find(second, "Ann"), find(second, "Bob")]) == "<PERSON_2> met <PERSON_1>"
    assert vault.mask(second, [find(second, "Ann", "TITLE")]) == "Bob met <TITLE_1>"
    assert len(vault) == 3


@pytest.mark.parametrize(
    "own", ["<PERSON_1>", "<person 1>", "&lt;PERSON_1&gt;", r"\u003cPERSON_1\u003e", "＜Person-1＞"]
)
def test_the_clients_own_surrogates_stay_its_own(own: str) -> None:
    text = f"Ann is not {own}"
    vault = Vault([text])
    masked = vault.mask(text, [find(text, "Ann")])
    assert masked == f"<PERSON_2> is not {own}"
    assert vault.restore(masked) == text


@pytest.mark.parametrize(
    "kind, surrogate",
    [("EMAIL_ADDRESS", "<EMAIL_ADDRESS_1>"), ("private person", "<PRIVATE_PERSON_1>"), ("姓名", "<PII_1>")],
)
def test_the_type_is_told(kind: str, surrogate: str) -> None:
    assert Vault(["x"]).mask("x", [find("x", "x", kind)]) == surrogate


def test_findings_that_overlap_are_masked_as_one() -> None:
    text = "call John Smith now"
    vault = Vault([text])
    masked = vault.mask(text, [find(text, "Smith now", "TITLE"), find(text, "John Smith"), find(text, "John")])
    assert masked == "call <PERSON_1>"
    assert vault.restore(masked) == text


@pytest.mark.parametrize(
    "bent",
    ["<person_1>", "<Person 1>", "< PERSON_1 >", "<PERSON-1>", r"<PERSON\_1>", r"<PERSON\\_1>", "＜PERSON_1＞"],
)
def test_bent_surrogates_are_restored(bent: str) -> None:
    assert vault_of().restore(f"Hi {bent}!") == f"Hi {JOHN}!"


@pytest.mark.parametrize(
    "bent, value",
    [
        ("&lt;PERSON_1&gt;", "John &quot;J&quot; O\nHara &amp; Sons"),
        (r"\u003cPERSON_1\u003E", r"John \"J\" O\nHara & Sons"),
        ("%3cPERSON_1%3E", "John%20%22J%22%20O%0AHara%20%26%20Sons"),
    ],
)
def test_a_value_takes_the_escape_of_its_surrogate(bent: str, value: str) -> None:
    assert vault_of().restore(bent) == value


@pytest.mark.parametrize("bent", ["<PERSON_1>", r"\u003cPERSON_1\u003e"])
def test_a_value_is_escaped_once_for_json(bent: str) -> None:
    assert vault_of().restore(bent, in_json=True) == r"John \"J\" O\nHara & Sons"


@pytest.mark.parametrize(
    "text",
    ["PERSON_1", "<PERSON_2>", "<PERSON_12>", "<PERSON_01>", "<PERSON_1", "<PERSON_1&gt;", "<PERSON1>", "<PER SON_1>"],
)
def test_what_is_no_surrogate_of_ours_stays(text: str) -> None:
    assert vault_of().restore(text) == text


def test_a_restored_value_is_not_read_again() -> None:
    text = "<PERSON_2> Ann"
    vault = Vault([text])
    masked = vault.mask(text, [find(text, "<PERSON_2>"), find(text, "Ann")])
    assert masked == "<PERSON_1> <PERSON_3>"
    assert vault.restore(masked) == text


@pytest.mark.parametrize(
    "text, held",
    [
        ("a <", "<"),
        ("a <PERS", "<PERS"),
        ("a < person_", "< person_"),
        ("a <PERSON_1", "<PERSON_1"),
        ("a <PERSON_1 ", "<PERSON_1 "),
        ("a <PERSON\\", "<PERSON\\"),
        ("a <<PERSON", "<PERSON"),
        ("a &", "&"),
        ("a &lt;PERSON_1&g", "&lt;PERSON_1&g"),
        ("a \\u00", "\\u00"),
        (r"a \u003cPERSON_1\u003", r"\u003cPERSON_1\u003"),
        ("a %3", "%3"),
        ("a <PERSON_1>", ""),
        ("a <b", ""),
        ("a < b and c", ""),
        ("a <PERSON_2", ""),
        (r"a <b\u003cPER", r"\u003cPER"),
        ("", ""),
    ],
)
def test_the_beginning_of_a_surrogate_is_held(text: str, held: str) -> None:
    assert text[vault_of().held_from(text) :] == held


def test_what_is_held_is_bounded() -> None:
    text = "<" + " " * 10_000
    assert len(text) - vault_of().held_from(text) < 400


def test_a_vault_does_not_show_its_values() -> None:
    assert "John" not in repr(vault_of())
