"""Doubt protects the shopper: whatever a shop makes of a stop signal, nobody is contacted who must not be.

Orders, opt-outs and refusals are mangled, and activities too; the whole path is run, up to the requests.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.helpers import HOUR_MS, MINUTE_MS, Event, arrived, event, now_ms
from tests.support.mangled_signals import SAID_YES, by_person, by_session, one_of, refusals, written
from tests.support.mangling import ANA, EMAIL, PHONE, checkout, contacts, contacts_of, numbers
from tests.support.redis_clients import emptied
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

FEW = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def mangled(valkey: EmbeddedValkey) -> Iterator[State]:
    """A server that every example empties for itself."""
    with emptied(valkey) as state:
        yield state


def test_without_a_signal_the_shopper_is_contacted(mangled: State) -> None:
    assert numbers(contacts(mangled, checkout())) == [PHONE]


@given(written(by_person("order_completed")))
@FEW
def test_no_mangled_order_of_a_person_leads_to_a_contact(mangled: State, raw: bytes) -> None:
    assert contacts(mangled, checkout(), raw) == []


@given(written(by_session()))
@FEW
def test_no_mangled_order_of_a_cart_leads_to_a_contact(mangled: State, raw: bytes) -> None:
    assert contacts(mangled, checkout(), raw) == []


@given(written(by_person("opt_out")), st.booleans())
@FEW
def test_no_mangled_opt_out_leads_to_a_contact(mangled: State, raw: bytes, is_first: bool) -> None:  # noqa: FBT001
    assert contacts(mangled, *((raw, checkout()) if is_first else (checkout(), raw))) == []


@given(refusals(), st.booleans())
@FEW
def test_no_mangled_refusal_leads_to_a_contact(mangled: State, made: dict[str, Any], is_first: bool) -> None:  # noqa: FBT001
    # Nothing after it is an explicit yes.
    agreed = checkout(customer=SAID_YES)
    assert contacts(mangled, *((made, checkout()) if is_first else (agreed, made))) == []


@pytest.mark.parametrize(
    "made",
    [
        {"type": "orders/paid", "id": 8, "email": "", "billing_address": {"phone": "(11) 98765-4321"}},
        {"type": "order_completed", "session_id": "8", "note_attributes": [{"name": "cart_id", "value": "s-1"}]},
        {"id": 7, "order_key": "wc_order_58d2", "status": "processing", "billing": {"email": EMAIL}},
        {"type": "sales_order_place_after", "entity_id": "3", "quote_id": "s-1"},
        {"type": "order-created", "orderId": "v5", "clientProfileData": {"email": f"{EMAIL}-12345b.ct.vtex.com.br"}},
        {"type": "track", "event": "Order Completed", "anonymousId": "s-1", "properties": {"order_id": "5"}},
        {"type": "OrderCompleted", "orderNo": "1", "shipments": [{"shippingAddress": {"phone": "+55 11 98765-4321"}}]},
        {"type": "store/order/created", "data": {"type": "order", "id": 3, "cart_id": "s-1"}},
        {"type": "order_completed", "order": {"id_cart": "s-1"}},
        {"type": "checkout.session.completed", "data": {"object": {"client_reference_id": "s-1"}}},
        {"type": "opt_out", "From": "whatsapp:+5511987654321", "Body": "STOP"},
        {"type": "opt_out", "contacts": [{"wa_id": "5511987654321"}]},
        {"type": "opt_out", "customer": {"phone_number": "11987654321", "country_code": "US"}},
    ],
)
def test_a_signal_in_the_form_of_a_platform_stops(mangled: State, made: Event) -> None:
    assert contacts(mangled, checkout(), made) == []


# Activities


@pytest.mark.parametrize(
    ("cart", "moment"), [({"items": []}, "2019-01-01 00:00:00"), (None, 0), ({"is_empty": True}, None)]
)
def test_an_emptied_cart_stops_whatever_its_time(mangled: State, cart: object, moment: object) -> None:
    assert contacts(mangled, checkout(), event(cart=cart, occurred_at=moment)) == []


@pytest.mark.parametrize("kind", ["cart_emptied", "Cart Cleared", "emptyCart"])
def test_a_type_that_says_emptied_empties_the_cart(mangled: State, kind: str) -> None:
    assert contacts(mangled, checkout(), {"type": kind, "session_id": "s-1"}) == []


@pytest.mark.parametrize(
    ("of_pages", "of_order"),
    [
        ("gid://shopify/Cart/c1-7a2abe82733a34e84aa472d57fb5c3c1?key=8", "c1-7a2abe82733a34e84aa472d57fb5c3c1"),
        ("c1-7a2abe82733a34e84aa472d57fb5c3c1", "gid://shopify/Cart/c1-7a2abe82733a34e84aa472d57fb5c3c1?key=9"),
    ],
)
def test_an_order_closes_the_cart_that_pages_call_otherwise(mangled: State, of_pages: str, of_order: str) -> None:
    assert contacts(mangled, checkout(of_pages), {"type": "orders/create", "id": 1, "cart_token": of_order}) == []


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
    """A number in some spelling, and whose it is; a country other than its own comes only with its code."""
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


# Order and repetition


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[list[Event], list[int]]:
    """Events of a session with an order, opt-out, refusal or an emptied cart, and an order in which they arrive."""
    stop: Event = draw(
        one_of(
            [
                {"type": "order_completed", "session_id": "s-1"},
                {"type": "order_completed", "customer": {"email": EMAIL}},
                {"type": "opt_out", "session_id": "s-1"},
                {"type": "opt_out", "customer": {"phone_number": PHONE}},
                event(customer={"consent": False}),
                event(cart={"items": []}),
                event(cart={"total_value": 0}),
            ]
        )
    )
    made = [checkout(), event(stage="payment"), checkout(customer=SAID_YES), stop]
    if draw(st.booleans()):
        made.insert(1, event(session="s-0", customer=ANA))
        made.insert(2, event(previous_session_id="s-0"))
    places = list(range(len(made)))
    return made, draw(st.permutations(places + draw(st.lists(one_of(places), max_size=3))))


@given(shuffled())
@FEW
def test_no_order_of_arrival_of_a_stop_leads_to_a_contact(mangled: State, found: tuple[list[Event], list[int]]) -> None:
    made, arrivals = found
    mangled.client.flushall()
    at_ms = now_ms(mangled) - 3 * HOUR_MS
    timed = [one | {"occurred_at": at_ms + place * MINUTE_MS} for place, one in enumerate(made)]
    entries = [arrived(timed[place], at_ms + HOUR_MS // 2 + turn) for turn, place in enumerate(arrivals)]
    assert contacts_of(mangled, *entries) == []
