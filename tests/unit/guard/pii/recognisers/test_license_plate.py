import pytest

from waypost.guard.pii.recognisers.license_plate import LicensePlate


@pytest.mark.parametrize(
    "text, values",
    [
        ("车牌京A12345违章", ["京A12345"]),
        ("粤B·D12345", ["粤B·D12345"]),
        ("沪AD12345。", ["沪AD12345"]),
        ("粤Z1234港", ["粤Z1234港"]),
        ("京ABCDEF", []),
        ("京A1234567", []),
        ("A12345", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(LicensePlate(), text) == values
