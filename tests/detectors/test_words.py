"""Countries, languages, names and texts, as shops and shoppers write them."""

import html
import unicodedata

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.normalize.countries import country, dialling_code
from detectors.normalize.emails import email
from detectors.normalize.languages import language
from detectors.normalize.names import person_name
from detectors.normalize.text import MAX_TEXT, clean, one_line, shorten, words


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("BR", "Brasil, brazil, BRÉSIL, BRA, +55, 0055, 55, Brazil (BR), BR +55, 🇧🇷"),
        ("CO", "Colômbia, Colombie, 57, +57, 0057, (+57), Colombia (CO), Colombia - CO, CO (+57), Colombia +57"),
        (
            "US",
            "USA, U.S.A., U.S., EE.UU., EE. UU., EEUU, E.U.A., EUA, Estados Unidos, États-Unis, Etats-Unis d'Amérique",
        ),
        ("MX", "México, Mexico, Mexique, MEX, México DF, México D.F., Méjico, 52, +52"),
        ("GB", "UK, U.K., United Kingdom, Reino Unido, Royaume-Uni, Great Britain, England, Inglaterra, Escocia, 44"),
        ("GR", "EL, Grecia, Grécia, Grèce, Greece"),
        ("PE", "Perú, Peru, Pérou, PERÚ, per"),
        ("NL", "Holland, Holanda, Hollande, Países Bajos, Países Baixos, Pays-Bas, The Netherlands"),
        ("CI", "Côte d'Ivoire, Cote d\u2019Ivoire, Ivory Coast, Costa de Marfil, Costa do Marfim"),
        ("ES", "España, Espa&ntilde;a, Espanha, Espagne, Spain, ESP"),
        ("DO", "República Dominicana, Rep. Dominicana, République dominicaine, RD, Dominican Republic"),
        ("DE", "Alemania, Alemanha, Allemagne, Germany, Deutschland"),
        ("BO", "Bolivia, Bolívia, Bolivie, 591, +591, Bolivia, Plurinational State of"),
        ("KR", "South Korea, Corea del Sur, Coreia do Sul, Corée du Sud, Republic of Korea"),
        ("PA", "507, Panamá"),
        ("SV", "El Salvador, Salvador, SLV"),
        ("CD", "RDC, DR Congo, Democratic Republic of the Congo"),
        ("TR", "Turkey, Türkiye, Turquía, Turquia, Turquie"),
        ("CZ", "Czechia, Czech Republic, República Checa, República Tcheca, Tchéquie"),
    ],
)
def test_a_country_is_read_in_four_languages_and_short_forms(code: str, written: str) -> None:
    texts = written.split(", ") if code != "BO" else written.split(", ", 5)
    assert {text: country(text) for text in texts} == dict.fromkeys(texts, code)


@pytest.mark.parametrize(
    "text",
    ["+1", "1", "7", "+7", "170", "076", "840", "999", "800", "EU", "Congo", "Korea", "America", "Colombia (BR)"],
)
def test_a_text_of_several_countries_or_an_iso_number_is_none(text: str) -> None:
    assert country(text) is None


@pytest.mark.parametrize("found", list(pycountry.countries), ids=lambda found: found.alpha_2)
def test_every_country_is_read_from_its_codes_and_name(found: pycountry.db.Country) -> None:
    assert {country(found.alpha_2), country(found.alpha_3)} == {found.alpha_2}
    assert country(found.name) == (None if found.name == "Congo" else found.alpha_2)
    assert country(found.numeric) != found.alpha_2 or dialling_code(found.numeric)


@given(st.text(max_size=40))
def test_whatever_is_written_for_a_country_does_not_raise(text: str) -> None:
    assert country(text) is None or len(country(text) or "") == 2


@pytest.mark.parametrize(
    ("text", "where", "tag"),
    [
        ("es-CO,es;q=0.9,en;q=0.8", "CO", "es-CO"),
        ("en;q=0.1, es;q=0.9", "CO", "es"),
        ("*, pt-BR;q=0.5", "BR", "pt-BR"),
        ("es_419", "CO", "es-419"),
        ("es_CO.UTF-8", "CO", "es-CO"),
        ("spa-COL", "CO", "es-CO"),
        ("iw", "CO", "he"),
        ("in", "ID", "id"),
        ("Español", "CO", "es"),
        ("Spanish", "CO", "es"),
        ("espagnol", "CO", "es"),
        ("Castellano", "ES", "es"),
        ("Português", "BR", "pt"),
        ("Portugu&ecirc;s (Brasil)", "BR", "pt-BR"),
        ("inglés", "US", "en"),
        ("Français", "FR", "fr"),
        ("Greek", "GR", "el"),
        ("pt", "PT", "pt"),
        ("PT", "BR", "pt"),
        ("ES", "CO", "es"),
        ("de", "CH", "de"),
        ("ar", "EG", "ar"),
        ("sv", "SE", "sv"),
        ("ca", "ES", "ca"),
        ("uk", "UA", "uk"),
        ("br", "FR", "br"),
        ("br", None, "br"),
    ],
)
def test_a_language_is_read_from_lists_locales_and_names(text: str, where: str | None, tag: str) -> None:
    assert language(text, where) == tag


@pytest.mark.parametrize(
    ("text", "where"),
    [
        *((code.lower(), code) for code in sorted(words("BR MX CO AR US GB JP CN CZ DK SE CA CL PE VE CR EC SV MY"))),
        ("BR", "BR"),
        ("uk", "GB"),
        ("UK", "GB"),
        ("br-BR", "BR"),
        ("BR", "CO"),
        ("in", "IN"),
    ],
)
def test_a_country_in_place_of_a_language_is_none(text: str, where: str) -> None:
    assert language(text, where) is None


@given(st.text(max_size=40), st.none() | st.sampled_from(["BR", "CO", "US"]))
def test_whatever_is_written_for_a_language_does_not_raise(text: str, where: str | None) -> None:
    assert language(text, where) is None or language(text, where)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (" Jane.Doe@EXAMPLE.com ", "Jane.Doe@example.com"),
        ("mailto:jane@example.com?subject=Hi", "jane@example.com"),
        ("Jane Doe <jane@example.com>", "jane@example.com"),
        ("<jane@example.com>", "jane@example.com"),
        ("jane @ example.com", "jane@example.com"),
        ("jane@example.com.", "jane@example.com"),
        ("jane&#64;example.com", "jane@example.com"),
        ("jane\u200b@example.com", "jane@example.com"),
        ("pele+shop@example.com", "pele+shop@example.com"),
        ("josé@exämple.com", "josé@exämple.com"),
        ("jane\uff20example.com", "jane@example.com"),
    ],
)
def test_an_e_mail_address_is_read_from_what_surrounds_it(written: str, address: str) -> None:
    assert email(written) == address


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Jos&eacute; O&#039;Brien", "José O'Brien"),
        ("Caf&amp;eacute; &amp;amp; T&eacute;", "Café & Té"),
        ("AT&T", "AT&T"),
        ("Rock&notes", "Rock&notes"),
        ("Tom &amp Jerry", "Tom &amp Jerry"),
        ("<b>Jane</b> <br/>Doe", "Jane Doe"),
        ("Cable < 2 m > 1 m", "Cable < 2 m > 1 m"),
        ("Jose\u0301", "José"),
        ("Jane\x00\n\tDoe", "Jane Doe"),
        ("\u202eenaJ\u202c", "enaJ"),
        ("عل\u200c ی", "عل\u200c ی"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("&#x1F600;", "😀"),
        ("JosÃ©", "JosÃ©"),
        ("&#0;&#xD800;", "\ufffd\ufffd"),
    ],
)
def test_a_text_is_decoded_and_cleaned(written: str, shown: str) -> None:
    assert clean(written) == shown


@given(st.text(max_size=600))
def test_a_clean_text_is_short_composed_and_stays_as_it_is(text: str) -> None:
    found = clean(text)
    assert len(found) <= MAX_TEXT
    assert one_line(found) == found
    assert clean(html.escape(text)) == found or "&" in text


@given(st.text(st.sampled_from("a bé\u0301👩\u200d🚀🇨🇴 "), max_size=60), st.integers(1, 30))
def test_a_text_is_cut_between_characters_as_people_see_them(text: str, limit: int) -> None:
    found = shorten(text, limit)
    assert len(found) <= limit
    assert text.startswith(found)
    rest = text[len(found) :]
    assert not found or not rest or not unicodedata.combining(rest[0]) or len(found) == limit


def test_a_long_text_ends_with_a_whole_word() -> None:
    assert clean("word " * 100).endswith("word")
    assert len(clean("x" * 1000)) == MAX_TEXT


@pytest.mark.parametrize("name", ["Pelé", "محمد بن علي", "O", "Christopher Guest", "李", "Nulla Rossi", "Na Young Kim"])
def test_single_short_and_foreign_names_are_names(name: str) -> None:
    assert person_name(name) == name


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-", "--", ".", "null", "NULL null", "undefined", "N/A", "n.a.", "Guest", "Guest User", "Invitado"),
        *("Convidado", "Invité", "Unknown", "Anónimo", "Sin nombre", "[object Object]", "{{ customer.name }}"),
        *("${name}", "*|FNAME|*", "%NAME%", "12345", "😀", "\u202e", "none none", "&nbsp;"),
    ],
)
def test_a_placeholder_is_no_name(text: str) -> None:
    assert person_name(text) is None
