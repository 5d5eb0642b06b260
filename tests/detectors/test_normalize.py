from collections.abc import Callable

import phonenumbers
import pycountry
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from detectors.normalize.countries import country
from detectors.normalize.emails import email
from detectors.normalize.languages import language
from detectors.normalize.money import currency
from detectors.normalize.phones import country_of_phone, phone
from detectors.normalize.text import one_line

COUNTRIES = sorted(found.alpha_2 for found in pycountry.countries)


@pytest.mark.parametrize("text", ["CO", "co", " Co ", "COL", "col", "Colombia", "COLOMBIA", "Republic of Colombia"])
def test_a_country_is_read_from_its_codes_and_names(text: str) -> None:
    assert country(text) == "CO"


@pytest.mark.parametrize("text", ["", " ", "XX", "Narnia", "C O", "\x00", "EU"])
def test_what_names_no_country_is_none(text: str) -> None:
    assert country(text) is None


@pytest.mark.parametrize(
    ("text", "code", "e164"),
    [
        ("+573001234567", None, "+573001234567"),
        ("+57 (300) 123-45.67", None, "+573001234567"),
        ("+57 300 123 4567", "BR", "+573001234567"),
        ("300 123 4567", "CO", "+573001234567"),
        ("573001234567", "CO", "+573001234567"),
        ("(11) 96123-4567", "BR", "+5511961234567"),
        ("011 96123-4567", "BR", "+5511961234567"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+44 (0)20 7946 0958", "GB", "+442079460958"),
        ("tel:+573001234567", None, "+573001234567"),
    ],
)
def test_a_number_is_read_as_people_write_it_with_their_country(text: str, code: str | None, e164: str) -> None:
    assert phone(text, code) == e164


@pytest.mark.parametrize("text", ["+521 55 1234 5678", "+5215512345678", "5215512345678", "+52 1 (55) 1234-5678"])
@pytest.mark.parametrize("code", ["MX", None])
def test_old_mexican_mobile_form_is_read_as_the_new_one(text: str, code: str | None) -> None:
    assert phone(text, code) == "+525512345678"


@pytest.mark.parametrize("text", ["+525512345678", "55 1234 5678"])
def test_a_mexican_mobile_in_its_new_form_stays_what_it_is(text: str) -> None:
    assert phone(text, "MX") == "+525512345678"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "phone",
        "+57300",
        "+5730012345678901",
        "300 123 4567",
        "+999 123456789",
        "0",
        "+",
        "1" * 300,
        "+5210000000000",
    ],
)
def test_impossible_number_is_none(text: str) -> None:
    assert phone(text, None) is None


def test_a_national_number_needs_a_country_that_has_it() -> None:
    assert phone("300 123 4567", "CO") == "+573001234567"
    assert phone("300 123 4567", "XX") is None


@pytest.mark.parametrize("code", COUNTRIES)
def test_mobiles_of_every_country_are_read_in_each_spelling(code: str) -> None:
    number = phonenumbers.example_number_for_type(code, phonenumbers.PhoneNumberType.MOBILE)
    if number is None:  # uninhabited: Antarctica, Bouvet Island, ...
        assert code in {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"}
        return
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    # The example of Gabon is a number of the plan that ended in 2024.
    reached = "+24166031234" if code == "GA" else e164
    for style in (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL):
        assert phone(phonenumbers.format_number(number, style), code) == reached
    assert phone(e164, None) == reached


@pytest.mark.parametrize(
    ("e164", "code"),
    [
        ("+573001234567", "CO"),
        ("+525512345678", "MX"),
        ("+12125550103", "US"),
        ("+80012345678", None),  # a freephone number of the whole world
        ("+38344123456", None),  # Kosovo: XK is not in ISO 3166-1
    ],
)
def test_number_gives_its_iso_country(e164: str, code: str | None) -> None:
    assert country_of_phone(e164) == code


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("es", "es"),
        (" ES ", "es"),
        ("spa", "es"),
        ("pt_br", "pt-BR"),
        ("pt-BR", "pt-BR"),
        ("es-419", "es-419"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("iw", "he"),
    ],
)
def test_a_language_is_read_as_its_tag(text: str, tag: str) -> None:
    assert language(text) == tag


@pytest.mark.parametrize("text", ["", "xx", "x-private", "und", "mul", "zxx", "C.UTF-8", "*", "e" * 200])
def test_what_names_no_language_is_none(text: str) -> None:
    assert language(text) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("jane.doe@example.com", "jane.doe@example.com"),
        ("Jane.Doe@EXAMPLE.com", "Jane.Doe@example.com"),
        ("jane+shop@example.co", "jane+shop@example.co"),
        ("jäne@müller.example", "jäne@müller.example"),
    ],
)
def test_an_e_mail_address_comes_out_in_its_usual_form(text: str, address: str) -> None:
    assert email(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jane",
        "jane@",
        "@example.com",
        "jane@localhost",
        "a@b@example.com",
        "Jane <j@example.com> <k@example.com>",
        "a@example.com b@example.com",
        "j..d@example.com",
    ],
)
def test_what_is_no_e_mail_address_is_none(text: str) -> None:
    assert email(text) is None


@given(st.text(max_size=50))
@settings(deadline=None)  # the first call of each library loads its tables
def test_nothing_that_is_typed_makes_reading_it_fail(text: str) -> None:
    readers: list[Callable[[str], str | None]] = [country, language, email, currency, one_line]
    for read in readers:
        assert read(text) is None or read(text) == read(str(read(text)))
    for code in ("CO", "MX", None):
        found = phone(text, code)
        assert found is None or phone(found, None) == found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Jane Doe", "Jane Doe"),
        ("  Jane\n\tDoe\r\n", "Jane Doe"),
        ("Jane\x00Doe\x1b[31m", "Jane Doe [31m"),
        ("Jane\u2028Doe\u0085", "Jane Doe"),
        ("\u202eenaJ", "enaJ"),
        ("José 李", "José 李"),
        ("\n", ""),
    ],
)
def test_text_becomes_one_line_of_printable_characters(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text())
def test_one_line_holds_nothing_that_could_break_a_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert line == line.strip()
    assert len(line.splitlines()) <= 1
