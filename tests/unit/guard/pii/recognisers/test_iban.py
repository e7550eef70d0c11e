import pytest

from waypost.guard.pii.recognisers.iban import Iban


@pytest.mark.parametrize(
    "text, values",
    [
        ("GB82 WEST 1234 5698 7654 32 monthly", ["GB82 WEST 1234 5698 7654 32"]),
        ("账户DE89370400440532013000。", ["DE89370400440532013000"]),
        ("fr14 2004 1010 0505 0001 3m02 606 is", ["fr14 2004 1010 0505 0001 3m02 606"]),
        ("NL91ABNA0417164300 NL91ABNA0417164300", ["NL91ABNA0417164300", "NL91ABNA0417164300"]),
        ("DE89370400440532013001", []),
        ("XX89370400440532013000", []),
        ("DE8937040044053201300012", []),
        ("DE893704", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(Iban(), text) == values
