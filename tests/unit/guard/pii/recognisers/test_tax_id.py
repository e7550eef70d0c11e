import pytest

from waypost.guard.pii.recognisers.tax_id import TaxId


@pytest.mark.parametrize(
    "text, values",
    [
        ("VAT DE136695976", ["DE136695976"]),
        ("TVA FR40303265045.", ["FR40303265045"]),
        ("NL004495445B01", ["NL004495445B01"]),
        ("RSSMRA85T10A562S", ["RSSMRA85T10A562S"]),
        ("CPF 390.533.447-05", ["390.533.447-05"]),
        ("税号91110000600037341L", ["91110000600037341L"]),
        ("Steuer-ID 36 574 261 809", ["36 574 261 809"]),
        ("DNI 54362315K", ["54362315K"]),
        ("itin 912-90-3456", ["912-90-3456"]),
        ("EIN 91-1144442", ["91-1144442"]),
        ("DE136695978", []),
        ("54362315K", []),
        ("91-1144442", []),
        ("390.533.447-06", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(TaxId(), text) == values
