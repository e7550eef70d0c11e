import pytest

from waypost.tools.terms import terms


@pytest.mark.parametrize(
    "text, expected",
    [
        ("getWeatherForecast", ["get", "weather", "forecast"]),
        ("get_HTTPStatus2", ["get", "http", "statu", "2"]),
        ("GitHub__list-issues", ["git", "hub", "list", "issu"]),
        ("What is the weather like?", ["weather", "like"]),
        ("cities, city's bookings", ["city", "city", "s", "booking"]),
        ("天气预报", ["天气", "气预", "预报"]),
        ("查weather天气", ["查", "weather", "天气"]),
        ("été à Größe", ["été", "à", "größ"]),
        ("погоды", ["погоды"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("\udc80 🙂 …", []),
        ("", []),
    ],
)
def test_words_are_found(text: str, expected: list[str]) -> None:
    assert list(terms(text)) == expected


@pytest.mark.parametrize(
    "one, other", [("forecasts", "forecast"), ("translating", "translate"), ("companies", "company")]
)
def test_forms_of_a_word_meet(one: str, other: str) -> None:
    assert list(terms(one)) == list(terms(other))
