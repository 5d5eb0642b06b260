import copy
from typing import Any

import pytest

from storefronts.results import Alias, VisitorId
from tests.support.storefront_bodies import become, only, reason, sample

V2: dict[str, Any] = sample("yuno_payment_v2")
JANE = {
    "full_name": "Jane Doe",
    "phone_number": "+598 12345678",
    "email": "jane.doe@example.com",
    "country_code": "UY",
    "language": "es",
}
AT = "2024-07-19T16:32:02.203776Z"
ALIASES = (
    Alias("checkout", "2f3423dd-1234-1234-1234-2c7da5ad1caf"),
    Alias("order", "Test1234"),
)
PAID = (
    "SUCCEEDED/APPROVED SUCCEEDED/CAPTURED SUCCEEDED/CAPTURE_RETRY_IN_PROCESS SUCCEEDED/FRAUD_DECLINED "
    "PENDING/AUTHORIZED"
)
PENDING = (
    "READY_TO_PAY/CREATED PENDING/IN_PROCESS PENDING/WAITING_ADDITIONAL_STEP PENDING/PENDING_PROVIDER_CONFIRMATION "
    "PENDING/PENDING_FRAUD_REVIEW PENDING/PENDING_OTP_COMPLETION SUCCEEDED/PARTIALLY_APPROVED ERROR/TIMEOUT "
    "ERROR/PENDING_REVERSE ERROR/REVERSED_BY_TIMEOUT"
)
NOTHING = (
    "CANCELED/CANCELED VERIFIED/VERIFIED REFUNDED/REFUNDED SUCCEEDED/PARTIALLY_REFUNDED SUCCEEDED/IN_DISPUTE "
    "SUCCEEDED/PARTIALLY_CHARGEBACKED CHARGEBACK/CHARGEBACK IN_DISPUTE/IN_DISPUTE FRAUD/FRAUD NEW/NEW"
)


def payment(status: str = "SUCCEEDED/APPROVED", **more: object) -> dict[str, Any]:
    body = copy.deepcopy(V2)
    first, _, second = status.partition("/")
    body["data"]["payment"] |= {"status": first, "sub_status": second, **more}
    return body


def event_of(status: str, **more: object) -> dict[str, object]:
    found = only(become("yuno", payment(status, **more)))
    assert found.session_by == "alias"
    assert found.visitor.aliases == ALIASES
    assert found.visitor.ids == (VisitorId("customer", "user1234"),)
    return found.event


@pytest.mark.parametrize("status", PAID.split())
def test_paid_and_authorized_payment_is_an_order(status: str) -> None:
    assert event_of(status) == {
        "type": "order_completed",
        "occurred_at": AT,
        "customer": JANE,
        "order_value": 1458,
        "currency": "UYU",
        "cart_ids": ["2f3423dd-1234-1234-1234-2c7da5ad1caf", "Test1234"],
    }


@pytest.mark.parametrize("status", PENDING.split())
def test_payment_under_way_is_pending(status: str) -> None:
    assert event_of(status) == {"type": "payment_pending", "occurred_at": AT, "customer": JANE}


@pytest.mark.parametrize("status", ["DECLINED/DECLINED", "REJECTED/REJECTED", "ERROR/ERROR"])
def test_refused_payment_is_declined(status: str) -> None:
    assert event_of(status) == {"type": "payment_declined", "occurred_at": AT, "customer": JANE}


def test_created_payment_is_activity() -> None:
    expected = {"type": "activity", "occurred_at": AT, "flow_stage": "payment", "platform": "web", "customer": JANE}
    assert event_of("CREATED/CREATED") == expected


def test_expired_payment_lapses_when_it_expired() -> None:
    expected = {"type": "payment_pending", "occurred_at": AT, "expires_at": AT, "customer": JANE}
    assert event_of("EXPIRED/EXPIRED") == expected


@pytest.mark.parametrize("status", NOTHING.split())
def test_payment_without_a_shopper_sends_nothing(status: str) -> None:
    assert reason(become("yuno", payment(status))) == "has a status that means nothing to Winback"


@pytest.mark.parametrize("transactions", [None, []])
def test_payment_refused_as_fraud_refuses_contact(transactions: object) -> None:
    found = only(become("yuno", payment("DECLINED/FRAUD_DECLINED", transactions=transactions)))
    consent = found.event["customer"]["consent"]
    assert (consent["call"], consent["whatsapp"]) == (False, False)
    assert found.session_by == "id"


def test_charge_of_a_subscription_sends_nothing() -> None:
    assert "subscription" in reason(become("yuno", payment(subscription_id="s-1")))


def test_refund_of_the_sample_sends_nothing() -> None:
    assert reason(become("yuno", sample("yuno_refund_v2")))


def test_older_form_without_envelope_is_read() -> None:
    found = only(become("yuno", sample("yuno_payment_v1")))
    assert found.event["type"] == "order_completed"
    assert found.event["customer"]["phone_number"] == "+57 3001234567"
    assert found.visitor.aliases[1] == Alias("order", "1679531154456")
    # A cart can have the same number as the order of another shopper.
    assert "1679531154456" not in found.event["cart_ids"]


def test_session_in_the_metadata_is_the_session() -> None:
    metadata = [{"key": "other", "value": "x"}, {"key": "winback_session_id", "value": "cart-1"}]
    found = only(become("yuno", payment("DECLINED/DECLINED", metadata=metadata)))
    assert (found.event["session_id"], found.session_by) == ("cart-1", "id")


def test_payment_that_names_nothing_is_ignored() -> None:
    body = payment(merchant_order_id=None, checkout=None, customer_payer=None)
    assert reason(become("yuno", body)) == "names no session and no person"


@pytest.mark.parametrize(
    ("detail", "expires_at"),
    [
        ({"ticket": {"expires_at": "2026-12-03 23:59:59.000z"}}, "2026-12-03T23:59:59Z"),
        ({"ticket": {"expires_at": None, "date_of_expiration": "2026-12-03T23:59:59Z"}}, "2026-12-03T23:59:59Z"),
        ({"wallet": {"expires_at": "2026-12-03T23:59:59-05:00"}}, "2026-12-04T04:59:59Z"),
        ({"ticket": None, "bnpl": "x"}, None),
    ],
)
def test_voucher_says_when_it_runs_out(detail: object, expires_at: str | None) -> None:
    transaction = {"payment_method": {"payment_method_detail": detail}}
    for transactions in (transaction, [transaction]):
        event = event_of("READY_TO_PAY/CREATED", transactions=transactions)
        assert event.get("expires_at") == expires_at


def test_each_state_of_a_payment_has_a_key_of_its_own() -> None:
    bodies = [payment("PENDING/IN_PROCESS"), payment(), payment(updated_at="2024-07-20T00:00:00Z")]
    keys = [only(become("yuno", body)).dedupe_key for body in bodies]
    assert len(set(keys)) == 3
    assert only(become("yuno", {**payment(), "retry": 3})).dedupe_key == keys[1]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": {"payment": 7}}', b'{"payment": {}}'])
def test_body_without_payment_is_ignored(body: bytes) -> None:
    assert reason(become("yuno", body))
