"""Signals that stop a contact are read in any form; an activity is read strictly."""

import json
from typing import Any

import pytest

from detectors.activity import ActivityEvent
from detectors.parsing import Parsed, parse

ACTIVITY: dict[str, Any] = {"session_id": "s", "type": "activity", "flow_stage": "checkout", "platform": "web"}
BUYER = {"phone_number": "+573001234567", "country_code": "CO"}


def read(event: object) -> Parsed:
    return parse(event if isinstance(event, bytes) else json.dumps(event).encode())


def said(event: object) -> dict[str, Any]:
    parsed = read(event)
    assert parsed.event is not None
    return parsed.event.model_dump(exclude_unset=True)


def event_of(event: object) -> ActivityEvent:
    parsed = read(event)
    assert parsed.event is not None
    return parsed.event


@pytest.mark.parametrize(
    "written",
    [
        *(
            "order_completed",
            "Order_Completed",
            " ORDER-COMPLETED ",
            "orderCompleted",
            "order completed",
            "order.completed",
        ),
        *("order", "purchase", "purchased", "Order Placed", "order_paid", "orders/paid", "checkout_completed"),
        *("payment_succeeded", "Compra Finalizada", "pedido", "commande", "order_complted", "oder_completed"),
        *(["order_completed"], "order_complete\u0064"),
    ],
)
def test_an_order_is_read_under_any_usual_name(written: object) -> None:
    assert said({"type": written, "session_id": "s"}) == {"type": "order_completed", "session_id": "s"}


@pytest.mark.parametrize("written", ["Opt_Out", "optOut", "opt-out", "OPTOUT", "unsubscribe", "stop", "baja", "opt_ot"])
def test_an_opt_out_is_read_under_any_usual_name(written: str) -> None:
    assert event_of({"type": written, "session_id": "s"}).type == "opt_out"


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("PaymentPending", "payment_pending"),
        ("awaiting-payment", "payment_pending"),
        ("boleto_created", "payment_pending"),
        ("Payment Declined", "payment_declined"),
        ("payment_failed", "payment_declined"),
        ("EXIT", "exit"),
        ("Activity", "activity"),
    ],
)
def test_the_other_types_are_read_in_other_spellings(written: str, kind: str) -> None:
    assert event_of({**ACTIVITY, "type": written}).type == kind


@pytest.mark.parametrize("written", ["opt_in", "subscribe", "order_cancelled", "order_refunded", "reorder", "checkout"])
def test_a_word_for_something_else_stops_nothing(written: str) -> None:
    assert said({**ACTIVITY, "type": written}) == {"session_id": "s", "type": "activity"}


@pytest.mark.parametrize("extra", [{"order_value": 5}, {"order_id": 7}, {"orderNumber": "A1"}])
def test_an_order_that_lost_its_type_is_known_by_its_other_fields(extra: dict[str, object]) -> None:
    for kind in ({}, {"type": None}, {"type": ""}):
        assert event_of({"session_id": "s", **kind, **extra}).type == "order_completed"


@pytest.mark.parametrize("name", ["event", "event_type", "eventName", "topic", "action"])
def test_the_type_of_an_order_may_stand_in_another_field(name: str) -> None:
    assert event_of({name: "order_completed", "session_id": "s"}).type == "order_completed"


@pytest.mark.parametrize(
    "event",
    [
        {"sessionId": "s", "Type": "order_completed"},
        {"Session-ID": "s", "TYPE": "order_completed"},
        {"session_id": "", "sessionID": "s", "type": "order_completed"},
        [{"session_id": "s", "type": "order_completed"}],
        json.dumps({"session_id": "s", "type": "order_completed"}),
        [json.dumps({"session_id": "s", "type": "order_completed"})],
        {"event": {"session_id": "s", "type": "order_completed"}},
        {"data": json.dumps({"session_id": "s", "type": "order_completed"})},
        b'\xef\xbb\xbf{"session_id":"s","type":"order_completed"}',
        b'{"session_id":"s","type":"order_completed",}',
        b'{"session_id":"s","type":"order_completed","customer":{"full_name":"Ja',
        b'{"session_id":"s","type":"order_completed","order_value":NaN}',
    ],
)
def test_an_order_is_read_in_any_wrapping_and_spelling_of_fields(event: object) -> None:
    found = event_of(event)
    assert (found.type, found.session_id) == ("order_completed", "s")


@pytest.mark.parametrize("cut", range(1, 60))
def test_of_an_order_that_was_cut_off_no_half_id_is_read(cut: int) -> None:
    for session in ("cart-123", 123456):
        raw = json.dumps({"type": "order_completed", "session_id": session, "currency": "COP"}).encode()
        event = read(raw[:-cut]).event
        assert event is None or event.session_id == str(session)


def test_an_activity_that_was_cut_off_is_refused() -> None:
    assert read(json.dumps(ACTIVITY).encode()[:-1]).event is None


@pytest.mark.parametrize("wrapped", [[ACTIVITY], json.dumps(ACTIVITY), {"event": ACTIVITY}])
def test_a_wrapped_activity_is_a_sign_of_life_and_nothing_else(wrapped: object) -> None:
    assert said(wrapped) == {"session_id": "s", "type": "activity"}
    assert len(read(wrapped).problems) == 1


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
def test_a_stop_signal_without_a_session_names_its_person_in_any_field(
    kind: str, person: dict[str, object], customer: dict[str, str]
) -> None:
    assert said({"type": kind, **person}) == {"type": kind, "customer": customer}


def test_a_number_found_elsewhere_is_marked_but_never_contacted() -> None:
    event = event_of({"type": "order_completed", "session_id": "s", "shipping": {"phone": "+573009999999"}})
    assert event.customer is None
    assert [one.phone_number for one in event.people] == ["+573009999999"]


def test_the_shops_own_contact_is_nobody() -> None:
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


@pytest.mark.parametrize(
    "cart",
    [
        *([], {}, None, "", "[]", "{}", False, 0, {"items": []}, {"items": {}}, {"Items": []}, {"items": "[]"}),
        *({"total_value": 0}, {"total_value": "0,00", "currency": "COP"}, {"items": [{"sku": "a", "quantity": "0"}]}),
        *({"products": []}, {"item_count": 0}, {"items": [None]}),
    ],
)
def test_an_emptied_cart_is_read_in_any_form(cart: object) -> None:
    for event in (ACTIVITY, {**ACTIVITY, "type": "page_view"}, {**ACTIVITY, "type": "exit"}):
        found = event_of({**event, "cart": cart})
        assert "cart" in found.model_fields_set
        assert found.cart is None or found.cart.is_empty
    assert event_of({**ACTIVITY, "Cart": cart}).model_fields_set >= {"cart"}


@pytest.mark.parametrize(
    ("cart", "items"),
    [
        ({"items": [{"name": "A", "quantity": "2", "price": "149.900"}], "currency": "COP"}, [("A", 2, 149_900.0)]),
        ({"items": {"0": {"name": "A"}, "2": {"name": "B"}}}, [("A", None, None), ("B", None, None)]),
        ({"items": {"name": "A", "quantity": 1.0}}, [("A", 1, None)]),
        ([{"name": "A"}], [("A", None, None)]),
        ({"items": ["A", {"name": 5}]}, [("A", None, None), ("5", None, None)]),
        (json.dumps({"items": [{"name": "A"}]}), [("A", None, None)]),
    ],
)
def test_a_cart_is_read_with_values_of_other_types(cart: object, items: list[tuple[object, ...]]) -> None:
    parsed = read({**ACTIVITY, "cart": cart})
    assert parsed.event is not None
    assert parsed.event.cart is not None
    assert [(item.name, item.quantity, item.price) for item in parsed.event.cart.items or ()] == items
    assert not parsed.problems


def test_an_amount_with_two_readings_is_left_out_and_reported() -> None:
    parsed = read({**ACTIVITY, "cart": {"total_value": "1.234", "currency": "EUR", "items": [{"name": "A"}]}})
    assert parsed.event is not None
    assert parsed.event.cart is not None
    assert (parsed.event.cart.total_value, len(parsed.event.cart.items or ())) == (None, 1)
    assert [problem.field for problem in parsed.problems] == ["cart.total_value"]


def test_an_order_value_is_read_in_the_currency_of_its_cart() -> None:
    order = {"type": "order_completed", "session_id": "s", "order_value": "149.900", "cart": {"currency": "COP"}}
    assert event_of(order).order_value == 149_900


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("Checkout", "checkout"), (" cart-review ", "cart_review"), ("productSelection", "product_selection")],
)
def test_a_stage_is_read_in_another_case_and_never_under_another_name(written: str, read_as: str) -> None:
    assert event_of({**ACTIVITY, "flow_stage": written, "platform": "WEB"}).flow_stage == read_as
    others: tuple[object, ...] = ("basket", "carts_review", "check", "", None, 1, {})
    for other in others:
        assert event_of({**ACTIVITY, "flow_stage": other}).lacks_stage


def test_two_spellings_that_differ_are_no_value_of_an_activity() -> None:
    customer = {"PhoneNumber": "+573001111111", "phoneNumber": "+573002222222", "Email": "a@example.com"}
    assert said({**ACTIVITY, "customer": customer})["customer"] == {"email": "a@example.com"}
    exact = {"phone_number": "+573001111111", "phoneNumber": "+573002222222"}
    assert said({**ACTIVITY, "customer": exact})["customer"] == {"phone_number": "+573001111111"}


def test_an_activity_finds_no_person_elsewhere() -> None:
    assert said({**ACTIVITY, "phone": "+573001234567", "user": BUYER, "customer": {"mobile": "+573001234567"}}) == {
        **ACTIVITY,
        "phone": "+573001234567",
        "user": BUYER,
        "customer": {"mobile": "+573001234567"},
    }


@pytest.mark.parametrize("name", ["sessionId", "SESSION_ID", "Session-Id"])
def test_the_fields_of_an_activity_are_read_in_another_case(name: str) -> None:
    event = {name: 5, "Type": "activity", "flowStage": "checkout", "Platform": "web", "Customer": {"fullName": "Jane"}}
    assert said(event) == {**ACTIVITY, "session_id": "5", "customer": {"full_name": "Jane"}}
