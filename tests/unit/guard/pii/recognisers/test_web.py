import pytest

from waypost.guard.pii.recognisers.web import Web


@pytest.mark.parametrize(
    "text, values",
    [
        ("see https://x.example.com/a?b=c#d.", ["https://x.example.com/a?b=c#d"]),
        ("(http://jones.biz/posts)", ["http://jones.biz/posts"]),
        ("https://en.wikipedia.org/wiki/A_(b)", ["https://en.wikipedia.org/wiki/A_(b)"]),
        ("访问www.ortiz-hines.com。", ["www.ortiz-hines.com"]),
        ("Is chase.org safe", ["chase.org"]),
        ("IS CHASE.ORG SAFE", ["CHASE.ORG"]),
        ("x.co.uk/path, ok", ["x.co.uk/path"]),
        ("http://93.184.216.34/x", ["http://93.184.216.34/x"]),
        ("main.py", []),
        ("README.md", []),
        ("e.g. this", []),
        ("It works.In fact", []),
        ("logger.info", []),
        ("foo.com()", []),
        ("a@b.com", []),
        ("Node.js", []),
        ("ASP.NET", []),
        ("http://localhost:8080/", []),
        ("http://127.0.0.1/", []),
        ("x.T", []),
        ("this.store = 1", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(Web(), text) == values


def test_a_link_to_an_address_is_a_url_and_any_other_a_domain_name():
    found = Web().find("https://a.com http://93.184.216.34/")
    assert [finding.type for finding in found] == ["DOMAIN_NAME", "URL"]
