import pytest

from waypost.config.units import HostPort, format_bytes, format_seconds, parse_address, parse_bytes, parse_seconds


@pytest.mark.parametrize(
    "text, seconds, shown",
    [
        ("250ms", 0.25, "250ms"),
        ("5s", 5.0, "5s"),
        ("90s", 90.0, "90s"),
        ("1.5m", 90.0, "90s"),
        ("10 m", 600.0, "10m"),
        ("24h", 86400.0, "1d"),
        ("0s", 0.0, "0ms"),
        ("1234567.5ms", 1234.5675, "1234567.5ms"),
    ],
)
def test_durations(text, seconds, shown):
    assert parse_seconds(text) == seconds
    assert format_seconds(seconds) == shown


@pytest.mark.parametrize("wrong", ["5", 5, "s", "-5s", "5S", "5 sec", "1e3s", "", None, "5s ", "5\ns", "٥s", True])
def test_no_durations(wrong):
    with pytest.raises(ValueError, match="expected a duration"):
        parse_seconds(wrong)


@pytest.mark.parametrize(
    "text, size, shown",
    [
        ("0B", 0, "0B"),
        ("64KiB", 65536, "64KiB"),
        ("10MB", 10_000_000, "10000000B"),
        ("50MiB", 52428800, "50MiB"),
        ("1.5GiB", 1610612736, "1536MiB"),
    ],
)
def test_sizes(text, size, shown):
    assert parse_bytes(text) == size
    assert format_bytes(size) == shown


@pytest.mark.parametrize("wrong", ["5", 5, "5M", "5mb", "-1B", "", None, "9" * 400 + "B"])
def test_no_sizes(wrong):
    with pytest.raises(ValueError, match="expected a size"):
        parse_bytes(wrong)


@pytest.mark.parametrize("text", ["999999999999999GiB", "2000000GiB"])
def test_sizes_beyond_reason(text):
    with pytest.raises(ValueError, match="must be at most"):
        parse_bytes(text)


@pytest.mark.parametrize(
    "text, address",
    [
        ("127.0.0.1:8801", HostPort("127.0.0.1", 8801)),
        ("localhost:0", HostPort("localhost", 0)),
        ("[::1]:80", HostPort("::1", 80)),
        ("[::ffff:10.0.0.1]:80", HostPort("::ffff:10.0.0.1", 80)),
    ],
)
def test_addresses(text, address):
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize("wrong", ["8801", ":8801", "h:", "h:65536", "::1:80", "http://h:1", 8801, None, "h:٨"])
def test_no_addresses(wrong):
    with pytest.raises(ValueError, match="expected host:port"):
        parse_address(wrong)
