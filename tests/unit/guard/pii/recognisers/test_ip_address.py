import pytest

from waypost.guard.pii.recognisers.ip_address import IpAddress


@pytest.mark.parametrize(
    "text, values",
    [
        ("refused 816:dfb1:33bd:c967:a472:d0a9:2699:c84a:8080", ["816:dfb1:33bd:c967:a472:d0a9:2699:c84a"]),
        ("ip=75.247.83.237, port", ["75.247.83.237"]),
        ("地址192.168.1.20。", ["192.168.1.20"]),
        ("10.0.0.77:8080", ["10.0.0.77"]),
        ("from 2001:0db8:85a3::8a2e:0370:7334.", ["2001:0db8:85a3::8a2e:0370:7334"]),
        ("582:60c:b359:257a:c56a:81e:ad47:31ff", ["582:60c:b359:257a:c56a:81e:ad47:31ff"]),
        ("127.0.0.1", []),
        ("0.0.0.0", []),
        ("::1", []),
        ("netmask 255.255.255.0", []),
        ("version 120.0.6099.109", []),
        ("see 1.2.3.4", []),
        ("300.1.2.3", []),
        ("1.2.3.4.5", []),
        ("OID 1.3.6.1", []),
        ("std::vector<a::b>", []),
        ("at 12:30:45", []),
        ("d[::2]", []),
        ("239.255.255.250", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(IpAddress(), text) == values
