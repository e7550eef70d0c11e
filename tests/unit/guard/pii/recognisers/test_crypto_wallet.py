import pytest

from waypost.guard.pii.recognisers.crypto_wallet import CryptoWallet


@pytest.mark.parametrize(
    "text, values",
    [
        ("send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa.", ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]),
        ("转到bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq谢谢", ["bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"]),
        (
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            ["bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"],
        ),
        ("0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe", ["0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe"]),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", []),
        ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdx", []),
        ("0xdeadbeef", []),
        ("da39a3ee5e6b4b0d3255bfef95601890afd80709", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(CryptoWallet(), text) == values
