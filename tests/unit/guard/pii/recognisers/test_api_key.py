import pytest

from waypost.guard.pii.recognisers.api_key import ApiKey


@pytest.mark.parametrize(
    "text, values",
    [
        ("use sk-proj-aB3dE6gH9jK2mN5pQ8sT.", ["sk-proj-aB3dE6gH9jK2mN5pQ8sT"]),
        ("密钥sk-proj-aB3dE6gH9jK2mN5pQ8sT，谢谢", ["sk-proj-aB3dE6gH9jK2mN5pQ8sT"]),
        ("export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", ["AKIAIOSFODNN7EXAMPLE"]),
        ("ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2", ["ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2"]),
        ("xoxb-123456789012-abcdefABCDEF", ["xoxb-123456789012-abcdefABCDEF"]),
        ("AIzaSy0Sy0Sy0Sy0Sy0Sy0Sy0Sy0Sy0Sy0Sy0ab", ["AIzaSy0Sy0Sy0Sy0Sy0Sy0Sy0Sy0Sy0Sy0Sy0ab"]),
        (
            "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"],
        ),
        ("my password is Tr0ub4dor&3!", ["Tr0ub4dor&3"]),
        ("密码：Xk9#mQ2pL", ["Xk9#mQ2pL"]),
        ('{"client_secret": "q8Zt4Kx0Vb7Nw2Lr9Ym5"}', ["q8Zt4Kx0Vb7Nw2Lr9Ym5"]),
        ("İ token=q8Zt4Kx0Vb7Nw2Lr9Ym5", ["q8Zt4Kx0Vb7Nw2Lr9Ym5"]),
        ("token = tokenizer.next_token(text)", []),
        ("password: str = Field(min_length=8)", []),
        ("secret = os.environ['SECRET_1']", []),
        ("the sk-learn package", []),
        ("a task-oriented key: value pair", []),
        ("commit 3f786850e387550fdab836ed7e6dc881de23001b", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(ApiKey(), text) == values


LINES = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\nVJTUt9Us8cKjMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDu\n"
BEGIN, END = "-----BEGIN RSA PRIVATE KEY-----\n", "-----END RSA PRIVATE KEY-----"


def test_a_private_key_is_found_whole(sees):
    assert sees(ApiKey(), f"key:\n{BEGIN}{LINES}{END}\nthanks") == [f"{BEGIN}{LINES}{END}"]


def test_of_a_private_key_that_was_cut_off_only_its_lines_are_found(sees):
    assert sees(ApiKey(), f"{BEGIN}{LINES}and then it went on") == [f"{BEGIN}{LINES}".rstrip()]


def test_the_header_alone_hides_no_text(sees):
    assert sees(ApiKey(), f"{BEGIN}is how such files begin") == [BEGIN.rstrip()]
