import pytest

from waypost.guard.pii.recognisers.mac_address import MacAddress


@pytest.mark.parametrize(
    "text, values",
    [
        ("c4:85:08:45:06:41", ["c4:85:08:45:06:41"]),
        ("网卡C4-85-08-45-06-41。", ["C4-85-08-45-06-41"]),
        ("c485.0845.0641", ["c485.0845.0641"]),
        ("00:00:00:00:00:00", []),
        ("ff:ff:ff:ff:ff:ff", []),
        ("c4:85:08:45:06", []),
        ("c4:85-08:45:06:41", []),
        ("12:30:45:10:20:30:40", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(MacAddress(), text) == values
