import pytest

from detectors.normalize.identities import MOST, identities_of, named_by

BRUNA = "+5551987654321"
JULIETA = "+541155551234"
XIMENA = "+525512345678"
WILSON = "+573009998877"
LANDLINE = "+576012345678"


@pytest.mark.parametrize(
    ("who", "code", "texts"),
    [
        (
            BRUNA,
            "BR",
            ["+55 51 98765-4321", "+55 51 8765-4321", "51 98765 4321", "(051) 98765-4321", "0055 51 98765-4321"],
        ),
        (
            JULIETA,
            "AR",
            ["+54 9 11 5555-1234", "+54 11 5555-1234", "11 5555-1234", "011 15 5555-1234", "5491155551234"],
        ),
        (XIMENA, "MX", ["+52 1 55 1234 5678", "55 1234 5678", "044 55 1234 5678", "01 55 1234 5678", "5215512345678"]),
        (WILSON, "CO", ["573009998877", "+57 300 999 8877", "5757 300 999 8877", "0300 999 8877", "٣٠٠٩٩٩٨٨٧٧"]),
        (LANDLINE, "CO", ["+57 1 234 5678", "(1) 2345678", "601 234 5678", "+57 601 2345678", "57 60 1 234 5678"]),
    ],
)
def test_one_line_has_one_identity_in_every_spelling(who: str, code: str, texts: list[str]) -> None:
    assert [identities_of(text, code, "") for text in texts] == [(who,)] * len(texts)
    assert [named_by(text, code, "")[0] for text in texts] == [who] * len(texts)


@pytest.mark.parametrize(
    ("who", "text"),
    [
        (WILSON, "573009998877"),
        (WILSON, "3009998877"),
        (WILSON, "300 999 88 77 (WhatsApp)"),
        (WILSON, "https://wa.me/573009998877"),
        (WILSON, "+57 300 999 8877 ext. 4"),
        (WILSON, "+57 300 999 8877 / 310 123 4567"),
        (WILSON, "310 123 4567 o 300 999 8877"),
        (WILSON, "3oo 999 8877"),
        (XIMENA, "044 55 1234 5678"),
        (JULIETA, "011 15 5555-1234"),
        (BRUNA, "5551987654321"),
    ],
)
def test_a_stop_signal_without_a_country_names_the_person(who: str, text: str) -> None:
    assert who in named_by(text, "", "")
    assert len(named_by(text, "", "")) <= MOST


@pytest.mark.parametrize(
    ("code", "text", "who"),
    [
        ("BR", "+5198765-4321", "+5551987654321"),  # a form put the + there
        ("CO", "0057 301 234 5678", "+573012345678"),
        ("CO", "+57 901 1234567", "+579011234567"),  # of a kind that isn't contacted
        ("CO", "+57 300 123 4567 x12", "+573001234567"),
        ("CO", "+999 123456789", "+999123456789"),  # not a number, and still the same text tomorrow
        ("CO", "12345", "+5712345"),
    ],
)
def test_uncontactable_number_still_identifies_a_person(code: str, text: str, who: str) -> None:
    assert who in named_by(text, code, "")


@pytest.mark.parametrize("text", ["", " ", "none", "0", "1234", "+", "n/a"])
def test_text_without_a_number_identifies_no_person(text: str) -> None:
    assert named_by(text, "CO", "") == ()


def test_the_phone_comes_before_the_address() -> None:
    assert identities_of("300 999 8877", "Colombia", "Jane.Doe@Example.COM") == (WILSON, "jane.doe@example.com")
    assert identities_of("", "", "jane@example.com") == ("jane@example.com",)
    assert identities_of("12", "CO", "jane") == ()


@pytest.mark.parametrize(
    ("text", "who"),
    [
        (" Jane.Doe@EXAMPLE.com ", "jane.doe@example.com"),
        ("Jane <jane@example.com>", "jane@example.com"),
        ("mailto:jane@example.com", "jane@example.com"),
        ("jane@example.com.", "jane@example.com"),
        ("Jane@M\u00dcLLER.example", "jane@m\u00fcller.example"),
        ("jane@xn--mller-kva.example", "jane@m\u00fcller.example"),
        ("jane+shop@example.com", "jane+shop@example.com"),
        ("jane@localhost", "jane@localhost"),
    ],
)
def test_an_address_is_one_identity_however_it_is_written(text: str, who: str) -> None:
    assert named_by("", "", text) == (who,)


def test_many_addresses_do_not_push_out_the_number() -> None:
    text = ", ".join(f"jane{number}@example.com" for number in range(50))
    named = named_by("300 999 8877 x1", "CO", text)
    assert WILSON in named
    assert len(named) <= MOST
