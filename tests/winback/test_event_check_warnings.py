"""The warnings of `winback event check`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.parsing import parse
from detectors.session_fields import REQUIRED, fields_of
from tasks.delivery.payload import Built, build
from tests.support.checking_events import SEED, checked, findings, told
from winback.operations.event_check import check

NO_COUNTRY = "is not a country of ISO 3166-1 such as CO, COL or Colombia"
UNREACHABLE = "applied, but the shopper can't be contacted until another event brings a valid one"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"custmer": {}}, "custmer: is not a field of an event; it would be ignored; did you mean customer?"),
        ({"basket": {}}, "basket: is not a field of an event; it would be ignored"),
        (
            {"customer": {"phone_number": "3001234567"}},
            f"customer.country_code: is missing next to a number without +; {UNREACHABLE}",
        ),
        (
            {"customer": {"phone_number": "+38344123456"}},
            f"customer.country_code: is missing, and the number is of no country; {UNREACHABLE}",
        ),
        ({"customer": {"full_name": "Guest"}}, f"customer.full_name: is not a person's name; {UNREACHABLE}"),
        (
            {"customer": {"phone_number": "30012", "country_code": "Colombia"}},
            f"customer.phone_number: is not a valid number in CO; {UNREACHABLE}",
        ),
        ({"customer": {"phone_number": None}}, f"customer.phone_number: is empty; {UNREACHABLE}"),
        ({"customer": {"full_name": " \u0007"}}, f"customer.full_name: is not a person's name; {UNREACHABLE}"),
        ({"customer": {"full_name": ""}}, f"customer.full_name: is empty; {UNREACHABLE}"),
        (
            {"customer": {"phone_number": "+573001234567", "country_code": "Columbia"}},
            f"customer.country_code: {NO_COUNTRY}; the country of the phone number would be used",
        ),
        (
            {"customer": {"phone_number": "+38344123456", "country_code": "Columbia"}},
            f"customer.country_code: {NO_COUNTRY}; {UNREACHABLE}",
        ),
        (
            {"customer": {"phone_number": "3001234567", "country_code": "Columbia"}},
            f"customer.country_code: {NO_COUNTRY}; {UNREACHABLE}",
        ),
        (
            {"customer": {"country_code": "Columbia"}},
            (
                f"customer.country_code: {NO_COUNTRY}; "
                "the country of the phone number would be used, if that begins with +"
            ),
        ),
        (
            {"type": "opt_out", "customer": {"phone_number": "30012", "country_code": "CO"}},
            "customer.phone_number: is not a valid number; the event would count only for its session",
        ),
        (
            {"type": "order_completed", "customer": {"phone_number": "3001234567"}},
            "customer.phone_number: is not a valid number; the event would count only for its session",
        ),
        (
            {"customer": {"email": "jane.example.com"}},
            "customer.email: is not an e-mail address; the request would go out without it",
        ),
        (
            {"customer": {"language": "klingonish"}},
            "customer.language: is not a language tag such as es, en or pt-BR; the request would go out without it",
        ),
        (
            {"cart": {"total_value": 1, "currency": "PESO"}},
            "cart.currency: is not a currency of ISO 4217 such as COP, BRL or USD; it would be left out",
        ),
        (
            {"cart": {"total_value": 1}},
            "cart.currency: is missing next to the amount; the currency of the amount would be unknown",
        ),
        (
            {"type": "order_completed", "order_value": 1},
            "currency: is missing next to the amount; the currency of the amount would be unknown",
        ),
        (
            {"cart": {"items": [{"quantity": 0}, {"quantity": 1}]}},
            "cart.items.0.quantity: is 0; leave out an item that is no longer in the cart",
        ),
        (
            {"cart": {"items": [{"quantity": 0}]}},
            "cart: is worth nothing or holds only lines with quantity 0; it would count as emptied",
        ),
        ({"occurred_at": "2025-05-13T22:40:00"}, "occurred_at: has no time zone; it would be read as UTC"),
        ({"expires_at": "2025-05-13T22:40:00Z"}, "expires_at: means nothing with type activity; it would be ignored"),
        (
            {"type": "payment_pending", "expires_at": "2025-05-13T22:40:00Z"},
            "expires_at: is in the past; silence would count from the event itself",
        ),
        (
            {"type": "payment_pending", "expires_at": "2999-05-13T22:40:00Z"},
            "expires_at: is more than 30 days away; 30 days would be used",
        ),
        (
            {"engagement": {"preferred_channel": "fax"}},
            "engagement.preferred_channel: is not one of auto, call, whatsapp; auto is used",
        ),
    ],
)
def test_warning_advises_the_sender(changes: dict[str, object], said: str) -> None:
    done = checked({**SEED, **changes})

    assert done.exit_code == 0
    assert findings(done) == [f"line 1: warning: {said}"]
    assert done.stdout.splitlines()[-1] == "1 event, 0 problems, 1 warning"


@given(
    st.fixed_dictionaries(
        {
            "full_name": st.sampled_from(["Jane Doe", "Guest", "", " ", "\u0007", None]),
            "phone_number": st.sampled_from(["+573001234567", "3001234567", "12", "+38344123456", "", None]),
            "country_code": st.sampled_from(["CO", "Colombia", "Columbia", "US", "+57", "+1", " ", None]),
        }
    )
)
def test_unreachable_person_is_warned_about(customer: dict[str, str | None]) -> None:
    raw = json.dumps({**SEED, "customer": customer}).encode()
    event = parse(raw).event
    assert event is not None
    fields = fields_of(event)
    built = build(fields, session_id="s", stage="checkout", platform="web", abandoned_ms=0, reason="r")
    reachable = isinstance(built, Built) and all(fields.get(name) for name in REQUIRED)

    warned = any(finding.effect == UNREACHABLE for finding in check(raw, now_ms=0))

    assert warned != reachable


def test_an_event_from_the_future_is_worth_a_warning() -> None:
    (line,) = told({**SEED, "occurred_at": "2999-01-01T00:00:00Z"})

    assert line.startswith("line 1: warning: occurred_at: is ")
    assert line.endswith(" s in the future; the arrival would count instead")


def test_misspelt_field_is_suggested_next_to_its_problem() -> None:
    assert told({"sesion_id": "s", "type": "exit"}) == [
        "line 1: session_id: is missing; the event would be rejected",
        "line 1: warning: sesion_id: is not a field of an event; it would be ignored; did you mean session_id?",
    ]


def test_a_field_that_is_read_under_another_name_is_no_warning() -> None:
    assert told({"type": "order_completed", "cart_token": "t", "phone": "+573001234567", "sessionId": "s"}) == []
    assert len(told({**SEED, "cart_token": "t", "phone": "+573001234567"})) == 2
