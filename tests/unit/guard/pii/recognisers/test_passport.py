import pytest

from waypost.guard.pii.recognisers.passport import Passport


@pytest.mark.parametrize(
    "text, values",
    [
        ("passport no. X1234567, issued", ["X1234567"]),
        ("Reisepass C01X00T47", []),
        ("my passport is 533380006", ["533380006"]),
        ("order X1234567", []),
        ("a passport costs 130", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(Passport(), text) == values
