import pytest

from storefronts.key_classes import SERVER_ONLY, permitted, signed_parts
from storefronts.results import DataRequest, Erasure, Ignored, Profile, Result, Translated, Visitor
from storefronts.signatures import Signed
from tests.support.storefront_bodies import RECEIVED, only

AT = "2026-12-01T12:00:00Z"
NO_YES = {"consent": {"call": True, "whatsapp": False}, "email": "jane@example.com"}
NO = {"consent": {"whatsapp": False}, "email": "jane@example.com"}


def claimed(event: dict[str, object]) -> dict[str, object]:
    return only(permitted(Result.of([Translated({"session_id": "s-1", "occurred_at": AT, **event})]), "public")).event


@pytest.mark.parametrize(
    "event",
    [
        {"type": "activity", "flow_stage": "checkout", "platform": "web", "cart": {"items": []}},
        {"type": "exit"},
        {"type": "order_completed", "order_value": 7.5, "cart_ids": ["c-1"]},
        {"type": "opt_out"},
        {"type": "payment_pending"},
        {"type": "exit", "customer": {"full_name": "Jane", "consent": {"call": False}}},
    ],
)
def test_public_key_reports_activity_and_what_stops_a_contact(event: dict[str, object]) -> None:
    assert claimed(event) == {"session_id": "s-1", "occurred_at": AT, **event}


def test_public_key_does_not_say_that_a_voucher_ran_out() -> None:
    assert "expires_at" not in claimed({"type": "payment_pending", "expires_at": AT})


@pytest.mark.parametrize("kind", ["payment_declined", "Payment Declined", "paymentFailed"])
def test_refused_payment_of_public_key_is_activity(kind: str) -> None:
    expected = {"type": "activity", "flow_stage": "payment", "platform": "web"}
    assert claimed({"type": kind}) == {"session_id": "s-1", "occurred_at": AT, **expected}


@pytest.mark.parametrize("spelled", ["consent", "Consent"])
def test_public_key_refuses_channels_and_allows_none(spelled: str) -> None:
    customer = {spelled: NO_YES["consent"], "email": "jane@example.com"}
    assert claimed({"type": "exit", "customer": customer})["customer"] == NO
    (profile,) = permitted(Result.of([Profile(NO_YES, Visitor(), RECEIVED)]), "public").parts
    assert isinstance(profile, Profile)
    assert profile.customer == NO


def test_public_key_has_nothing_erased() -> None:
    result = Result.of([Erasure(shop="shop-a"), DataRequest(), Ignored("other")])
    assert permitted(result, "public").parts == (Ignored(SERVER_ONLY), Ignored(SERVER_ONLY), Ignored("other"))


def test_unreadable_event_of_public_key_is_ignored() -> None:
    assert permitted(Result.of([Translated({"type": "exit"})]), "public").events == ()


def test_public_key_reports_a_visitor_whose_session_is_found_later() -> None:
    event = {"type": "activity", "occurred_at": AT, "flow_stage": "checkout", "platform": "web"}
    found = permitted(Result.of([Translated(event, session_by="visitor")]), "public")
    assert found.events == (event,)


@pytest.mark.parametrize(
    ("signed", "kinds"),
    [
        ("all", ["payment_declined", "payment_declined"]),
        ("first", ["payment_declined", "activity"]),
        ("nothing", []),
    ],
)
def test_item_that_is_not_signed_is_a_claim(signed: Signed, kinds: list[str]) -> None:
    declined = Translated({"session_id": "s-1", "type": "payment_declined"})
    assert [event["type"] for event in signed_parts(Result.of([declined, declined]), signed).events] == kinds


def test_server_key_reports_everything() -> None:
    result = Result.of([Translated({"type": "payment_declined", "customer": NO_YES}), Erasure(shop="shop-a")])
    assert permitted(result, "server") is result
