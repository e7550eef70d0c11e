import pytest

from waypost.guard.pii.recognisers.us_driver_license import UsDriverLicense


@pytest.mark.parametrize(
    "text, values",
    [
        ("driver's license number is Z685498631928,", ["Z685498631928"]),
        ("DL# J561-9817-3565", ["J561-9817-3565"]),
        ("the DMV issued 4327-13-8865 and", ["4327-13-8865"]),
        ("license 147041725 expires", ["147041725"]),
        ("license MIT-0", []),
        ("the license of 2024", []),
        ("handle 147041725", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(UsDriverLicense(), text) == values
