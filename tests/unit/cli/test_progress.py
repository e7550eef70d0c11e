import pytest
from rich.console import Console

from waypost.cli.progress import shown


def test_no_bar_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with shown() as (line, bar):
        line("reading [3] rows")
        bar(1, 3, 10)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(" reading [3] rows\n")
    assert err.count("\n") == 1


def test_a_bar_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Console, "is_terminal", True)
    monkeypatch.setattr(Console, "is_dumb_terminal", False)
    with shown() as (line, bar):
        bar(1, 4, 10)
        bar(2, 7, 10)
        line("still here")
    err = capsys.readouterr().err
    assert "still here" in err
    assert "epoch 2" in err
    assert "7/10" in err
