import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from detectors.normalize.identities import MOST, identities_of, named_by, of_number
from detectors.normalize.phones import phone, reading
from tests.support.numbers_of_the_world import valid_numbers, ways_to_write

SHARES = 5
PER_KIND = 20
"""Numbers of each kind in addition to the example, so that all countries together have about ten thousand."""
FEWEST_NUMBERS = 10_000
FEWEST_READ = 0.98
SEPARATORS = [" ", "-", ".", "/", "(", ")", "\u00a0", "\u2009", "\u200b", "\u200e", "\u2011", "\u2013", "\t", "_"]
PEOPLE = [
    ("+573001234567", "CO"),
    ("+5551987654321", "BR"),
    ("+525512345678", "MX"),
    ("+5491155551234", "AR"),
    ("+56987654321", "CL"),
    ("+51912345678", "PE"),
    ("+593991234567", "EC"),
    ("+447400123456", "GB"),
    ("+4915112345678", "DE"),
    ("+18095551234", "DO"),
]


@pytest.mark.parametrize("share", range(SHARES))
def test_a_number_in_ten_ways_is_read_as_itself_or_not(share: int) -> None:
    asked = read = 0
    assert len(valid_numbers(PER_KIND)) > FEWEST_NUMBERS
    for region, number in valid_numbers(PER_KIND)[share::SHARES]:
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        for written in ways_to_write(number):
            found = phone(written, region)
            asked += 1
            read += found is not None
            # Gabon's old numbers are valid in the tables, and are sent in their new form.
            assert found is None or of_number(found) == of_number(e164), (written, region)
            assert found in {None, e164} or region == "GA", (written, region)
    assert read / asked > FEWEST_READ


@pytest.mark.parametrize("share", range(SHARES))
def test_stop_signal_names_the_person_a_contact_reaches(share: int) -> None:
    for region, number in valid_numbers(1)[share::SHARES]:
        for written in ways_to_write(number):
            sure, named = identities_of(written, region, ""), named_by(written, region, "")
            assert set(sure) <= set(named), (written, region)
            assert len(named) <= MOST
            if region != "XK":  # a country of its own for numbers, not for ISO 3166-1
                e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
                assert of_number(e164) in named, (written, region)


@st.composite
def mangled(draw: st.DrawFn) -> tuple[str, str, str]:
    """Draw a number with its country, written with anything between the digits."""
    e164, region = draw(st.sampled_from(PEOPLE))
    code = str(phonenumbers.country_code_for_region(region))
    start = draw(st.sampled_from(["+", "00", "", "++", "+ ", "(+", "tel:+", f"+{code} ", f"00{code}", "\uff0b", " "]))
    between = st.text(st.sampled_from(SEPARATORS), max_size=2)
    digits = e164[1:].translate(draw(st.sampled_from([{}, str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")])))
    text = "".join(digit + draw(between) for digit in digits)
    end = draw(st.sampled_from(["", " x12", ";ext=3", ".", "\n", " (casa)", "\u200f", " o", "#"]))
    return start + text + end, region, e164


@given(mangled())
@settings(max_examples=400, deadline=None)
def test_a_mangled_number_is_read_as_no_other_person(made: tuple[str, str, str]) -> None:
    written, region, e164 = made
    assert phone(written, region) in {None, e164}
    assert phone(written, None) in {None, e164}
    assert of_number(e164) in named_by(written, region, "")


@given(st.text(max_size=40) | st.text("+0123456789 ()-.x/", max_size=24), st.sampled_from(["CO", "BR", "AR", "", "ZZ"]))
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_without_failing(text: str, region: str) -> None:
    found, told = phone(text, region or None), reading(text, region or None)
    assert (found or "") == told.e164
    assert bool(told.e164) != bool(told.why_not)
    assert found is None or phone(found, None) == phone(found, region or None) == found
    named = named_by(text, region, text)
    assert len(named) <= MOST
    assert set(identities_of(text, region, text)) <= set(named)
    assert all(name.startswith("+") or "@" in name for name in named)
