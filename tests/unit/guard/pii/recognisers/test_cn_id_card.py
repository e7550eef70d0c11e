import pytest

from waypost.guard.pii.recognisers.cn_id_card import CnIdCard


@pytest.mark.parametrize(
    "text, values",
    [
        ("身份证号11010519491231002X，", ["11010519491231002X"]),
        ("id 11010519491231002x.", ["11010519491231002x"]),
        ("110105194912310021", []),
        ("订单110105199913310020", []),
        ("身份证110105491231002", ["110105491231002"]),
        ("110105491231002", []),
        ("x11010519491231002X", []),
    ],
)
def test_finds(sees, text, values):
    assert sees(CnIdCard(), text) == values
