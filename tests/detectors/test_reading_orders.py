"""Orders and opt-outs: the people that they name, and the carts that they close."""

import json

import pytest

from tests.support.saying import ACTIVITY, event_of, read, said

ODD: tuple[object, ...] = ([], {}, None, "", 7, "x", [[]], "?")
ODD_TIMES: tuple[object, ...] = ("20261126103000Z", "0000-00-00", 10**400, "", None, {}, "soon")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        *((name, value) for name in ("customer", "cart", "engagement", "flow_stage", "platform") for value in ODD),
        *((name, value) for name in ("order_value", "currency", "previous_session_id", "cart_ids") for value in ODD),
        *(("occurred_at", value) for value in ODD_TIMES),
        ("expires_at", "never"),
        ("previous_session_id", {}),
        ("cart", {"items": "x", "total_value": "a lot"}),
        ("customer", {"full_name": {}, "phone_number": [], "email": 7, "consent": "?"}),
    ],
)
def test_no_unreadable_part_costs_an_order_its_session(part: str, value: object) -> None:
    found = event_of({"type": "order_completed", "session_id": "s", part: value})
    assert (found.type, found.session_id) == ("order_completed", "s")


@pytest.mark.parametrize(
    ("person", "customer"),
    [
        ({"customer": {"phone_number": 573001234567}}, {"phone_number": "573001234567"}),
        ({"customer": {"phoneNumber": "+57 300"}}, {"phone_number": "+57 300"}),
        (
            {"customer": {"phone": "+57 300", "Email": "a@example.com"}},
            {"email": "a@example.com", "phone_number": "+57 300"},
        ),
        ({"email": "a@example.com"}, {"email": "a@example.com"}),
        ({"customer": [], "phone": 3001234567, "country": "CO"}, {"phone_number": "3001234567", "country_code": "CO"}),
        ({"order": {"billing_address": {"email": "a@example.com"}}}, {"email": "a@example.com"}),
        ({"customer": json.dumps({"email": "a@example.com"})}, {"email": "a@example.com"}),
        ({"customer": [{"email": ["a@example.com"]}]}, {"email": "a@example.com"}),
    ],
)
@pytest.mark.parametrize("kind", ["order_completed", "opt_out"])
def test_stop_signal_without_session_names_its_person(
    kind: str, person: dict[str, object], customer: dict[str, str]
) -> None:
    assert said({"type": kind, **person}) == {"type": kind, "customer": customer}


def test_a_number_found_elsewhere_is_marked_but_never_contacted() -> None:
    event = event_of({"type": "order_completed", "session_id": "s", "shipping": {"phone": "+573009999999"}})
    assert event.customer is None
    assert [one.phone_number for one in event.people] == ["+573009999999"]


def test_contact_of_the_shop_identifies_no_person() -> None:
    assert read({"type": "order_completed", "store": {"email": "shop@example.com"}}).event is None


@pytest.mark.parametrize(
    ("more", "ids"),
    [
        ({"previous_session_id": "old"}, ("old",)),
        ({"cart_id": 7}, ("7",)),
        ({"cartToken": "t", "checkout_id": "c"}, ("t", "c")),
        ({"token": "t"}, ("t",)),
        ({"cart": {"id": "t", "items": [{"id": "line", "token": "no"}]}}, ("t",)),
        ({"cart": "t"}, ("t",)),
        ({"order": {"id": "o", "cart_id": "t", "token": "u"}}, ("t", "u")),
        ({"engagement": {"metadata": {"cart_id": "t", "order_id": "no"}}}, ("t",)),
        ({"checkout": {"token": "t"}, "quote_id": 5, "basketId": "b"}, ("5", "b", "t")),
        ({"note_attributes": [{"winback_session_id": "t"}]}, ("t",)),
        ({"cart_ids": ["a", 5, None, "s"]}, ("a", "5")),
        ({f"cart_id{'_' * n}": str(n) for n in range(1, 20)}, tuple(map(str, range(1, 8)))),
        ({"sessionId": "other"}, ("other",)),
    ],
)
def test_an_order_closes_the_cart_that_it_names_in_any_field(more: dict[str, object], ids: tuple[str, ...]) -> None:
    for kind in ("order_completed", "payment_pending"):
        assert event_of({"type": kind, "session_id": "s", **more}).also_sessions == ids


def test_an_activity_closes_no_other_session() -> None:
    assert event_of({**ACTIVITY, "cart_id": "t", "previous_session_id": "old"}).also_sessions == ()


def test_an_order_without_a_session_closes_the_cart_it_names() -> None:
    event = event_of({"type": "order_completed", "cart_token": "t", "checkout_id": "c"})
    assert (event.session_id, event.also_sessions) == ("t", ("c",))
