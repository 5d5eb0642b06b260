"""Amounts in text form: one reading by the currency's usage, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.normalize.money import currency, read


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("149.900", "COP", 149_900),
        ("149,900", "COP", 149_900),
        ("$ 149.900", "COP", 149_900),
        ("$149.900,00", "COP", 149_900),
        ("1.500.000", "COP", 1_500_000),
        ("COP 149.900", None, 149_900),
        ("149.900 pesos", "COP", 149_900),
        ("149900", None, 149_900),
        ("19.990", "CLP", 19_990),
        ("-5.000", "CLP", -5_000),
        ("$ -5.000", "CLP", -5_000),
        ("(5.000)", "CLP", -5_000),
        ("1,234", "JPY", 1_234),
        ("\uff11\uff14\uff19\uff19", "JPY", 1_499),
        ("1.234,56", "EUR", 1_234.56),
        ("1 234,56 €", "EUR", 1_234.56),
        ("1\u00a0234,56\u00a0€", "EUR", 1_234.56),
        ("12,50", "EUR", 12.5),
        ("12.50", "EUR", 12.5),
        ("149,-", "EUR", 149),
        ("1,234.56", "USD", 1_234.56),
        ("US$ 1,234", "USD", 1_234),
        ("R$ 1.234,56", "BRL", 1_234.56),
        ("R$1.234", "BRL", 1_234),
        ("1'234.50", "CHF", 1_234.5),
        ("1,23,456.70", "INR", 123_456.7),
        ("149.900", "KWD", 149.9),
        ("0.500", "USD", 0.5),
        (".5", "USD", 0.5),
        ("149.9000", "EUR", 149.9),
        ("1234.567", "EUR", 1_234.567),
        ("1e3", "USD", 1_000),
        ("\u0662\u0665\u0660\u066b\u0665\u0660", "EGP", 250.5),
        ("0,00", "COP", 0),
    ],
)
def test_a_text_with_one_reading_is_an_amount(text: str, code: str | None, value: float) -> None:
    assert read(text, code) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("149.900", None),
        ("149.900", "EUR"),
        ("1,234", "EUR"),
        ("1.234", "USD"),
        ("1.234", "MXN"),
        ("149,900", "TND"),
        ("R$ 1.234,56", "COP"),
        ("149.900 COP", "USD"),
        ("12.345.67", "EUR"),
        ("1,234.5.6", "USD"),
        ("1 23", "EUR"),
        ("12 34", "USD"),
        ("149k", "USD"),
        ("12.5%", "USD"),
        ("5 - 6", "USD"),
        ("free", "USD"),
        ("", "USD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("9" * 500, "USD"),
    ],
)
def test_a_text_with_several_readings_or_none_is_no_amount(text: str, code: str | None) -> None:
    assert read(text, code) is None


@given(st.text(max_size=20), st.none() | st.sampled_from(["COP", "EUR", "USD", "KWD", "PESO", ""]))
def test_whatever_is_written_for_an_amount_does_not_raise(text: str, code: str | None) -> None:
    found = read(text, code)
    assert found is None or isinstance(found, float)


@given(st.integers(0, 10**9), st.sampled_from(["COP", "BRL", "ARS", "CLP"]))
def test_grouped_by_points_a_whole_amount_is_never_a_thousandth(value: int, code: str) -> None:
    assert read(f"{value:,}".replace(",", "."), code) == value


@given(st.decimals(0, 10**9, places=2, allow_nan=False), st.sampled_from(["USD", "MXN", "EUR", "BRL"]))
def test_amount_with_both_separators_is_read_in_every_currency(value: object, code: str) -> None:
    text = f"{value:,.2f}"
    if "," in text:
        swapped = text.translate(str.maketrans(",.", ".,"))
        assert read(text, code) == read(swapped, code) == float(str(value))


@pytest.mark.parametrize(("text", "code"), [("R$", "BRL"), ("€", "EUR"), (" cop ", "COP"), ("&euro;", "EUR")])
def test_a_sign_of_one_currency_is_that_currency(text: str, code: str) -> None:
    assert currency(text) == code


def test_a_sign_of_several_currencies_is_none() -> None:
    assert currency("$") is None
