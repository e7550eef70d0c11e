import pytest

from waypost.guard.pii.recognisers.email import Email


@pytest.mark.parametrize(
    "text, values",
    [
        ("mail a.b+c@x-y.co.uk, or", ["a.b+c@x-y.co.uk"]),
        ("寄到Ann@Proton.Me，联系人", ["Ann@Proton.Me"]),
        ("<josé@correo.es>", ["josé@correo.es"]),
        ("a@b.com.Then we", ["a@b.com"]),
        ("o'neil@x.ie", ["o'neil@x.ie"]),
        ("root@db.internal", ["root@db.internal"]),
        ("a@b.org, c@d.org", ["a@b.org", "c@d.org"]),
        ("git@github.com:org/repo", []),
        ("x@y.sum(axis=0)", []),
        ("@app.route", []),
        ("user@localhost", []),
        ("pkg@1.2.3", []),
        ("a@b..com", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(Email(), text) == values
