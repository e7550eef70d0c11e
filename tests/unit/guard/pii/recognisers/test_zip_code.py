import pytest

from waypost.guard.pii.recognisers.zip_code import ZipCode


@pytest.mark.parametrize(
    "text, values",
    [
        ('{"zip": "TS27 6BF"}', ["TS27 6BF"]),
        ("zip 7522WZ,", ["7522WZ"]),
        ("zip 94948.", ["94948"]),
        ("The zip code is Y5K 9G1, not", ["Y5K 9G1"]),
        ("postcode: CR8 6SY", ["CR8 6SY"]),
        ("邮编100084", ["100084"]),
        ("ZIP 77156-823 AND", ["77156-823"]),
        ("unzip 94948", []),
        ("zip 12 files", []),
        ("file.zip 12345", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(ZipCode(), text) == values
