"""Currencies and amounts."""

import json
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

from detectors.normalize.money import amount, currency

CURRENCIES = sorted(found.code for found in Currency)


@pytest.mark.parametrize("text", ["COP", "cop", " Cop "])
def test_a_currency_is_read_as_its_code(text: str) -> None:
    assert currency(text) == "COP"


@pytest.mark.parametrize("text", ["", "$", "COPS", "peso", "C0P", "170"])
def test_what_is_no_currency_is_none(text: str) -> None:
    assert currency(text) is None


@pytest.mark.parametrize(
    ("value", "code", "written"),
    [
        (149.99, "COP", "149.99"),
        (150.0, "COP", "150"),
        (0.1 + 0.2, "USD", "0.3"),
        (19.989999999999998, "USD", "19.99"),
        (1234.5, "CLP", "1234"),
        (1235.5, "CLP", "1236"),
        (1.2345, "KWD", "1.234"),
        (1.23455, "CLF", "1.2346"),
        (1e12, "USD", "1000000000000"),
        (999999999999.99, "USD", "999999999999.99"),
        (1e-9, "USD", "0"),
        (-0.0, "USD", "0"),
        (0.005, None, "0"),
        (2.675, None, "2.68"),
        (1.5, "XAU", "1.5"),  # ISO 4217 gives gold no decimals to round to
    ],
)
def test_an_amount_is_written_with_what_its_currency_can_express(value: float, code: str | None, written: str) -> None:
    assert json.dumps(amount(value, code)) == written


def decimals_of(code: str | None) -> int:
    exponent = None if code is None else Currency(code).exponent
    return 2 if exponent is None else int(exponent)


codes = st.sampled_from([None, *CURRENCIES])


@given(st.floats(0, 1e12), codes)
def test_amount_has_no_more_decimals_than_its_currency(value: float, code: str | None) -> None:
    read = Decimal(json.dumps(amount(value, code)))
    assert read == round(read, decimals_of(code))
    assert abs(read - Decimal(repr(value))) <= Decimal(5).scaleb(-decimals_of(code) - 1)
    assert read == Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals_of(code)), ROUND_HALF_EVEN)


@given(st.data(), codes)
def test_amount_is_written_exactly_in_its_currency(data: st.DataObject, code: str | None) -> None:
    exact = data.draw(st.decimals(0, 10**10, places=decimals_of(code)))
    assert Decimal(json.dumps(amount(float(exact), code))) == exact
