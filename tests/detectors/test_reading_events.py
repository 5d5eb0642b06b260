"""Signals that stop a contact are read in any form; an activity is read strictly."""

import json

import pytest

from tests.support.saying import ACTIVITY, event_of, read, said

BUYER = {"phone_number": "+573001234567", "country_code": "CO"}


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
def test_order_without_type_is_recognised_by_its_fields(extra: dict[str, object]) -> None:
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


@pytest.mark.parametrize("kind", ["order_completed", "opt_out", "payment_pending"])
def test_cut_off_event_that_stops_contacts_is_read(kind: str) -> None:
    raw = json.dumps({"type": kind, "customer": {"phone_number": "+573001234567"}, "currency": "COP"}).encode()
    found = read(raw[:-3]).event
    assert found is not None
    assert (found.type, [one.phone_number for one in found.people]) == (kind, ["+573001234567"])


def test_cut_off_decline_is_refused() -> None:
    assert read(b'{"type":"payment_declined","session_id":"s","currency":"CO').event is None


def test_an_activity_that_was_cut_off_is_refused() -> None:
    assert read(json.dumps(ACTIVITY).encode()[:-1]).event is None


@pytest.mark.parametrize("wrapped", [[ACTIVITY], json.dumps(ACTIVITY), {"event": ACTIVITY}])
def test_a_wrapped_activity_is_a_sign_of_life_and_nothing_else(wrapped: object) -> None:
    assert said(wrapped) == {"session_id": "s", "type": "activity"}
    assert len(read(wrapped).problems) == 1


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("Checkout", "checkout"), (" cart-review ", "cart_review"), ("productSelection", "product_selection")],
)
def test_stage_is_read_in_any_case_but_not_by_another_name(written: str, read_as: str) -> None:
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
