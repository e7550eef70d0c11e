import pytest

from waypost.guard.pii.recognisers.cn_passport import CnPassport


@pytest.mark.parametrize(
    "text, values",
    [
        ("护照号码E12345678。", ["E12345678"]),
        ("护照EA1234567", ["EA1234567"]),
        ("通行证：H12345678", ["H12345678"]),
        ("part E12345678", []),
        ("E123456789 护照", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(CnPassport(), text) == values
