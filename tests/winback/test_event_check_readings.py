"""How `winback event check` explains fields and the request that would follow."""

import json

import pytest

from tests.support.checking_events import SEED, checked

READINGS: list[tuple[dict[str, object], str]] = [
    (
        {"customer": {"phone_number": "300 123 4567", "country_code": "Colombia"}},
        'customer.phone_number "300 123 4567" with CO \u2192 +573001234567: read as a national number',
    ),
    ({"customer": {"phone_number": "+57 300 123 4567"}}, "customer.country_code is taken from the number \u2192 CO"),
    ({"customer": {"country_code": "EE.UU."}}, 'customer.country_code "EE.UU." \u2192 US'),
    ({"customer": {"full_name": "Jos&eacute;"}}, 'customer.full_name "Jos&eacute;" \u2192 José'),
    ({"customer": {"country_code": "BR", "language": "br"}}, 'customer.language "br" \u2192 left out'),
    ({"customer": {"time_zone": "America/Bogta"}}, 'customer.time_zone "America/Bogta" \u2192 left out'),
    ({"cart": {"total_value": 1, "currency": "PESO"}}, 'cart.currency "PESO" \u2192 left out'),
    ({"customer": {"consent": "denied"}}, "customer.consent \u2192 call no, whatsapp no"),
    ({"cart": {"total_value": "149.900", "currency": "COP"}}, 'cart.total_value "149.900" \u2192 149900'),
    ({"cart": []}, "cart \u2192 emptied"),
    ({"occurred_at": 1795689000}, "occurred_at 1795689000 \u2192 2026-11-26T10:30:00+00:00"),
    ({"session_id": 5}, "session_id \u2192 5"),
    ({"type": "Order Placed"}, "type was read as order_completed"),
    ({"type": "order_completed", "cart_id": 7}, "cart_ids \u2192 7 would be closed, too"),
]


@pytest.mark.parametrize(("changes", "line"), READINGS)
def test_it_explains_how_a_field_was_understood(changes: dict[str, object], line: str) -> None:
    assert f"line 1: {line}" in checked({**SEED, **changes}).stdout.splitlines()


def test_a_value_that_would_redraw_the_terminal_is_escaped() -> None:
    done = checked({**SEED, "customer": {"full_name": "A\u001b[2JB&amp;"}})

    assert r"\x1b[2J" in done.stdout
    assert "\x1b" not in done.stdout


def request_of(*documents: object) -> str:
    lines = [line for line in checked(*documents).stdout.splitlines() if "request" in line]
    return lines[-1].partition("request")[2].removeprefix(": ").strip()


def test_it_prints_the_request_that_would_be_sent() -> None:
    first = {**SEED, "occurred_at": "2025-05-13T22:40:00Z", "flow_stage": "cart_review"}
    request = json.loads(request_of(first, {**SEED, "customer": {"email": "jane@example.com"}}))

    assert request["customer"]["email"] == "jane@example.com"
    assert request["customer"]["full_name"] == "Jane Doe"
    assert request["session"] == {
        "abandonment_timestamp": "2025-05-13T22:45:00Z",
        "flow_stage": "checkout",
        "platform": "web",
        "session_id": "sess_abc123xyz",
    }


@pytest.mark.parametrize(
    ("later", "why"),
    [
        ({"type": "order_completed"}, "the session's cart was bought"),
        ({"type": "opt_out"}, "the person opted out"),
        ({"cart": []}, "the cart is empty"),
        ({"customer": {"consent": False}}, "the customer refused every channel"),
        ({"customer": {"full_name": None}}, "the session ends as unreachable without customer.full_name"),
        ({"customer": {"phone_number": "12"}}, "customer.phone_number can't be used for a contact"),
        ({"engagement": {"metadata": {"bot": True}}}, "it is a bot"),
        (
            {"session_id": "another", "type": "exit", "flow_stage": None},
            "no event of a known type had the shopper's flow_stage",
        ),
        (
            {"session_id": "another", "type": "order_completed", "cart_id": SEED["session_id"]},
            "the session's cart was bought",
        ),
    ],
)
def test_check_explains_why_no_request_would_be_sent(later: dict[str, object], why: str) -> None:
    assert request_of(SEED, {**SEED, **later}).startswith(why)
