import pytest

from waypost.guard.pii.recognisers.uk_nino import UkNino


@pytest.mark.parametrize(
    "text, values",
    [
        ("NI number AB 12 34 56 C", ["AB 12 34 56 C"]),
        ("ab123456c", ["ab123456c"]),
        ("BG123456C", []),
        ("AB123456E", []),
        ("XAB123456C", []),
        ("DA 12 34 56 C", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(UkNino(), text) == values
