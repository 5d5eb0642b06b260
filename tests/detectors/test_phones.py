import phonenumbers
import pytest
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType

from detectors.normalize.phones import country_of_phone, phone, reading

CO, BR, MX, AR = "+573001234567", "+5551987654321", "+525512345678", "+5491155551234"

STYLES = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL)
NO_SHOPPERS = {
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
}


@pytest.mark.parametrize(
    ("text", "code", "e164", "rule"),
    [
        ("0055 51 98765-4321", "BR", BR, "00 read as +"),
        ("0057 300 123 4567", "CO", CO, "00 read as +"),
        ("005215512345678", "MX", MX, "old Mexican mobile prefix dropped"),
        ("0049 (0)151 12345678", "DE", "+4915112345678", "(0) dropped"),
        ("011 57 300 123 4567", "CO", CO, "011 read as +"),
        ("0011 61 412 345 678", "AU", "+61412345678", "0011 read as +"),
        ("010 81 90 1234 5678", "JP", "+819012345678", "010 read as +"),
        ("810 7 916 123-45-67", "RU", "+79161234567", "810 read as +"),
        ("(51) 98765-4321", "BR", BR, "read as a national number"),
        ("051 98765-4321", "BR", BR, "trunk zero dropped"),
        ("0 15 51 98765-4321", "BR", BR, "prefix 015 dropped"),
        ("03 300 123 4567", "CO", CO, "prefix 03 dropped"),
        ("573001234567", "CO", CO, "read as if written with +"),
        ("573001234567", None, CO, "read as if written with +"),
        ("0057 300 123 4567", None, CO, "00 read as +"),
        ("+00 57 300 123 4567", "CO", CO, "00 after + dropped"),
        ("+57 57 300 123 4567", "CO", CO, "country code written twice"),
        ("57573001234567", "CO", CO, "country code written twice"),
        ("+57 0057 300 123 4567", "CO", CO, "country code written twice"),
        ("+57+573001234567", "CO", CO, "read with its country code"),
        ("+593 0991 234 567", "EC", "+593991234567", "trunk zero dropped"),
        ("+55 (051) 98765-4321", "BR", BR, "trunk zero dropped"),
        ("+49 (0)151 12345678", "DE", "+4915112345678", "(0) dropped"),
        ("4915112345678", "DE", "+4915112345678", "read as if written with +"),
        ("+44 (0)7400 123456", "GB", "+447400123456", "(0) dropped"),
        ("+7 8 916 123-45-67", "RU", "+79161234567", "trunk prefix 8 dropped"),
        ("06 30 123 4567", "HU", "+36301234567", "trunk prefix 06 dropped"),
        ("8 612 34567", "LT", "+37061234567", "prefix 8 dropped"),
        ("+39 06 6982 1234", "IT", "+390669821234", "read with its country code"),
        ("886377", "SM", "+3780549886377", "local form completed"),
        ("011 15 5555-1234", "AR", AR, "local form completed"),
        ("+54 11 15 5555-1234", "AR", AR, "local form completed"),
        ("+54 9 11 15 5555-1234", "AR", AR, "mobile prefix 15 read as 9"),
        ("044 55 1234 5678", "MX", MX, "old Mexican prefix dropped"),
        ("045 55 1234 5678", "MX", MX, "old Mexican prefix dropped"),
        ("01 55 1234 5678", "MX", MX, "old Mexican prefix dropped"),
        ("1 55 1234 5678", "MX", MX, "old Mexican mobile prefix dropped"),
        ("5215512345678", None, MX, "old Mexican mobile prefix dropped"),
        ("+52 01 55 1234 5678", "MX", MX, "old Mexican prefix dropped"),
    ],
)
def test_a_usual_spelling_is_read_and_its_rule_named(text: str, code: str | None, e164: str, rule: str) -> None:
    found = reading(text, code)
    assert (found.e164, found.why_not) == (e164, "")
    assert found.note.startswith(f'"{text}" with {code or "no country"} → {e164}: ')
    assert rule in found.note
    assert phone(text, code) == e164


@pytest.mark.parametrize(
    "text",
    [
        "٣٠٠ ١٢٣ ٤٥٦٧",
        "۳۰۰۱۲۳۴۵۶۷",
        "३००१२३४५६७",
        "\u200e+57\u00a0300\u202f123\u20114567\u200b",
        "\uff0b57 300.123.4567",
        "%2B57 300 123 4567",
        "&#43;57 300 123 4567",
        "tel:+57-300-123-4567",
        "tel:300-123-4567;phone-context=+57",
        "whatsapp:+573001234567",
        "573001234567+",
        "(+57) 300/123 4567",
        "57 +57 300 123 4567",
        "00+57 300 123 4567",
        " 300\t123 4567\r\n",
    ],
)
def test_signs_and_scripts_around_digits_do_not_matter(text: str) -> None:
    assert phone(text, "CO") == CO


@pytest.mark.parametrize(
    ("text", "code", "why_not"),
    [
        ("0051 987 654 321", "BR", "has two readings: +51987654321 and +5551987654321"),
        ("30012", None, "is too short for a number"),
        ("51987654321", None, "has two readings: +51987654321 and +5551987654321"),
        ("+55 11 7654-3210", "BR", "has two readings: +551176543210 and +5511976543210"),
        ("55 1234 5678", "CO", "is not a valid number"),
        ("0057 301 234 56", "CO", "is not a valid number of the customer's country"),
        ("12125550103", "MX", "would be a number of another country, which must be written with +"),
        ("912 345 678", None, "has two readings"),
        ("+57 300 123 4567 ext. 9", "CO", "has an extension"),
        ("+57 300 123 4567 x9", "CO", "has an extension"),
        ("+573001234567;ext=9", "CO", "has an extension"),
        ("300 123 4567 anexo 9", "CO", "has an extension"),
        ("1-800-FLOWERS", "US", "has letters"),
        ("3OO 123 4567", "CO", "has letters"),
        ("300² 123 4567", "CO", "holds characters that are no digits"),
        ("*123#", "CO", "has '*' in it"),
        ("+57 300 123 4567 / 68", "CO", "is not a valid number"),
        ("030 1234567/68", "DE", "holds more than one number"),
        ("+573001234567/+573101234567", "CO", "has a + inside"),
        ("", "CO", "is empty"),
        ("1" * 300, "CO", "is too long for a phone number"),
    ],
)
def test_doubtful_number_is_none_with_a_reason(text: str, code: str | None, why_not: str) -> None:
    found = reading(text, code)
    assert found.e164 == ""
    assert why_not in found.why_not
    assert found.note == f'"{text}" with {code or "no country"} {found.why_not}'
    assert phone(text, code) is None


@pytest.mark.parametrize(
    ("text", "code", "kind"),
    [
        ("+57 901 1234567", "CO", "premium-rate"),
        ("01 900 123 4567", "CO", "premium-rate"),
        ("01 8000 123456", "CO", "toll-free"),
        ("+57 1800 123 4567", None, "toll-free"),
        ("4004-1234", "BR", "shared-cost"),
        ("0800 123 4567", "BR", "toll-free"),
        ("0300 123 4567", "BR", "shared-cost"),
        ("0900 123 456", "BR", "premium-rate"),
        ("01 800 123 4567", "MX", "toll-free"),
        ("+52 900 123 4567", "MX", "premium-rate"),
        ("0810 123 4567", "AR", "company's"),
        ("0600 123 4567", "AR", "premium-rate"),
        ("600 123 4567", "CL", "shared-cost"),
        ("0800-12345", "PE", "toll-free"),
        ("(800) 555-0199", "US", "toll-free"),
        ("900 555 0199", "US", "premium-rate"),
        ("070 1234 5678", "GB", "follow-me"),
        ("07640 123456", "GB", "pager"),
        ("0345 123 4567", "GB", "company's"),
        ("902 123 456", "ES", "shared-cost"),
        ("+46 25 412 34 56 78 9", "SE", "voicemail"),
        ("+800 1234 5678", "CO", "no country"),
        ("+870 773 123456", None, "no country"),
        ("+882 16 1234 5678", None, "no country"),
        ("+979 1 2345 6789", None, "no country"),
    ],
)
def test_a_number_that_no_shopper_has_is_none(text: str, code: str | None, kind: str) -> None:
    found = reading(text, code)
    assert kind in found.why_not
    assert phone(text, code) is None


@pytest.mark.parametrize("kind", sorted(NO_SHOPPERS))
def test_the_examples_of_other_kinds_are_none_everywhere(kind: int) -> None:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is None:
            continue
        for style in STYLES:
            assert phone(phonenumbers.format_number(number, style), region) is None, (region, style)


def test_no_short_code_is_a_number_of_a_shopper() -> None:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        plan = PhoneMetadata.short_metadata_for_region(region)
        for kind in (plan.emergency, plan.toll_free, plan.premium_rate, plan.short_code) if plan else ():
            assert kind is None or not kind.example_number or phone(kind.example_number, region) is None, region


@pytest.mark.parametrize(
    ("text", "code", "e164"),
    [
        ("+51 987 654 321", "BR", "+51987654321"),
        ("+1 212 555 0103", "MX", "+12125550103"),
        ("001 212 555 0103", "MX", "+12125550103"),
        ("00 21 351 912 345 678", "BR", "+351912345678"),
        ("011 52 55 1234 5678", "US", MX),
        ("+57 300 123 4567", None, CO),
        ("+57 300 123 4567", "XX", CO),
        ("809 555 1234", "US", "+18095551234"),
        ("416 555 1234", "DO", "+14165551234"),
        ("07911 123456", "JE", "+447911123456"),
        ("0639 20 12 34", "RE", "+262639201234"),
        ("7 701 234 56 78", "RU", "+77012345678"),
        ("79 12 34 56", "SJ", "+4779123456"),
    ],
)
def test_a_number_of_another_country_needs_its_prefix(text: str, code: str | None, e164: str) -> None:
    assert phone(text, code) == e164


def test_repeated_numbers_are_cached_within_a_bound() -> None:
    assert phone.cache_info().maxsize == 65_536


@pytest.mark.parametrize(
    ("e164", "code"), [("+447400123456", "GB"), ("+441534123456", "JE"), ("+77012345678", "KZ"), ("+18095551234", "DO")]
)
def test_shared_calling_code_gives_the_territory(e164: str, code: str) -> None:
    assert country_of_phone(e164) == code


@pytest.mark.parametrize(
    ("text", "country"),
    [("3201234567.0", None), ("91123456789.0", None), ("3201234567,00", "IT"), ("04915123456789", "DE")],
)
def test_a_zero_of_a_decimal_or_a_digit_too_many_is_no_number(text: str, country: str | None) -> None:
    assert phone(text, country) is None
