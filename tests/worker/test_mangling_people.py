"""For any form of a number or a session id, no other person is contacted."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.events import Event
from tests.support.mangled_signals import SAID_YES, one_of
from tests.support.mangling import ANA, checkout, contacts, numbers
from tests.support.redis_clients import emptied
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

FEW = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def mangled(valkey: EmbeddedValkey) -> Iterator[State]:
    """A server that every example empties for itself."""
    with emptied(valkey) as state:
        yield state


PEOPLE = [
    ("BR", "BRA", "Brasil", "55", "11987654321", "0"),
    ("AR", "ARG", "Argentina", "54", "1123456789", "0"),
    ("MX", "MEX", "México", "52", "5512345678", "01"),
    ("CO", "COL", "Colombia", "57", "3001234567", ""),
    ("PE", "PER", "Perú", "51", "987654321", "0"),
    ("EC", "ECU", "Ecuador", "593", "991234567", "0"),
    ("CL", "CHL", "Chile", "56", "987654321", ""),
    ("US", "USA", "EE.UU.", "1", "3055251234", "1"),
    ("DE", "DEU", "Alemania", "49", "15123456789", "0"),
    ("GB", "GBR", "Reino Unido", "44", "7400123456", "0"),
    ("ES", "ESP", "España", "34", "612345678", ""),
    ("CI", "CIV", "Côte d'Ivoire", "225", "0707123456", ""),
    ("BJ", "BEN", "Benin", "229", "0190011234", ""),
]
OTHERS = ["BR", "AR", "MX", "CO", "PE", "EC", "CL", "US", "DE", "GB", "ES", "FR", "IT", "RU", "", None, "XX", 55, "57"]


@st.composite
def numbers_written(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """Draw a number in some spelling, and its owner; a foreign country only comes with its code."""
    iso, iso3, word, code, national, trunk = draw(one_of(PEOPLE))
    international = [
        *(f"+{code}{national}", f"+{code} {national[:3]} {national[3:]}", f"+{code}{trunk}{national}"),
        *(f"+{code} ({trunk}){national}", f"00{code}{national}", f"+00{code}{national}", f"+{code}{code}{national}"),
        *(f"++{code}{national}", f"\uff0b{code}{national}", f"tel:+{code}-{national}", f"+{code}.{national}"),
    ]
    own = [
        *(
            national,
            f"{trunk}{national}",
            f"({national[:3]}) {national[3:]}",
            f"{code}{national}",
            int(code + national),
        ),
        *(float(code + national), [national], {"number": national}, f"{national} / {national}", f"{national} ext. 5"),
    ]
    if draw(st.booleans()):
        return {
            "phone_number": draw(one_of(international)),
            "country_code": draw(one_of([iso, *OTHERS])),
        }, code + national
    countries = [iso, iso.lower(), iso3, word, f"+{code}", [iso]]
    return {"phone_number": draw(one_of(own)), "country_code": draw(one_of(countries))}, code + national


@given(numbers_written(), st.booleans())
@FEW
def test_no_mangled_number_reaches_another_person(
    mangled: State,
    written: tuple[dict[str, Any], str],
    is_split: bool,  # noqa: FBT001
) -> None:
    customer, meant = written
    name = {"full_name": "Ana Souza", "consent": SAID_YES["consent"]}
    country = {"country_code": customer["country_code"]}
    made = [{"phone_number": customer["phone_number"]}, country | name] if is_split else [customer | name]
    reached = numbers(contacts(mangled, *(checkout(customer=one) for one in made)))
    # The 9 of Argentine mobiles is a way to dial, not another person.
    assert {number.lstrip("+").replace("549", "54", 1) for number in reached} <= {meant}


@pytest.mark.parametrize(
    ("first", "then", "reached"),
    [
        ({"phone_number": "3001234567", "country_code": "CO"}, {"country_code": "PK"}, []),
        ({"phone_number": "3001234567", "country_code": "CO"}, {"country_code": "Colombia"}, ["+573001234567"]),
        ({"phone_number": "3001234567"}, {"country_code": "CO"}, ["+573001234567"]),
        ({"phone_number": "11987654321", "country_code": "US"}, {"country_code": "BR"}, ["+5511987654321"]),
        ({"phone_number": "+573001234567", "country_code": "CO"}, {"country_code": "PK"}, ["+573001234567"]),
    ],
)
def test_a_later_country_makes_no_other_person_of_a_number(
    mangled: State, first: dict[str, str], then: dict[str, str], reached: list[str]
) -> None:
    name = {"full_name": "Ana Souza"}
    assert numbers(contacts(mangled, checkout(customer=name | first), checkout(customer=then))) == reached


@st.composite
def of_two_people(draw: st.DrawFn) -> list[Event]:
    """Activities of Ana and Bea, one field each, whose session ids are mangled; no valid id names the other's."""
    junk = [
        None,
        "",
        " ",
        True,
        {},
        [],
        1.5,
        {"id": "s-1"},
        ["s-1", "s-2"],
        "\u200b",
        "null",
        "undefined",
        float("inf"),
    ]
    made = []
    for who, session in ((ANA, "s-1"), (BEA, "s-2")):
        for field in ("full_name", "phone_number", "country_code"):
            mangled = [session, session, [session], f" {session} ", *junk]
            name = draw(one_of(["session_id", "Session-ID", "sessionId"]))
            part = {"customer": {field: who[field]}, name: draw(one_of(mangled))}
            made.append({"type": "activity", "flow_stage": "checkout", "platform": "web"} | part)
    return draw(st.permutations(made))


BEA = {"full_name": "Bea Lima", "phone_number": "+5521912345678", "country_code": "BR"}


@given(of_two_people())
@FEW
def test_no_mangled_session_id_mixes_two_people(mangled: State, made: list[Event]) -> None:
    for body in contacts(mangled, *made):
        who = body["customer"]
        assert (who["full_name"], who["phone_number"]) in {
            (one["full_name"], one["phone_number"]) for one in (ANA, BEA)
        }, body
