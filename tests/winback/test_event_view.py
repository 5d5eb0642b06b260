"""An event as `winback event tail` shows it."""

import json

import pytest

from state.event_stream import StreamEntry
from tests.support.events import JANE, Event, event
from winback.operations.event_view import EventView, view

ARRIVED_MS = 1_764_550_800_123
CART = {"total_value": 2000, "currency": "COP", "items": [{"name": "Hat", "quantity": 2, "price": 1000}]}


def viewed(made: Event | bytes | None) -> EventView:
    raw = json.dumps(made).encode() if isinstance(made, dict) else made
    return view(StreamEntry(f"{ARRIVED_MS}-0".encode(), raw))


def test_event_is_one_line_with_masked_customer() -> None:
    found = viewed(event(customer=JANE | {"email": "jane.doe@example.com"}, cart=CART))
    (line,) = found.lines()
    assert line == (
        "01:00:00.123Z  activity  checkout/web  s-1  "
        "name J*** D**, phone +57********67, e-mail j***@***.com, country CO; cart of 2000 COP, 1 item"
    )
    assert found.outcome == "applied"


@pytest.mark.parametrize(
    ("made", "session", "problem"),
    [
        (b"{", "", "is not valid JSON"),
        (None, "", "event: is missing"),
        ({"type": "exit", "sesion_id": "s-1"}, "", "session_id: is missing"),
        ({"type": "nonsense", "session_id": "s-1"}, "s-1", "type: "),
        ({"type": "opt_out", "customer": {"phone_number": "12"}}, "", "customer.phone_number: "),
    ],
)
def test_rejected_event_has_its_reason(made: Event | bytes | None, session: str, problem: str) -> None:
    found = viewed(made)
    if made == {"type": "nonsense", "session_id": "s-1"}:
        assert (found.outcome, found.session) == ("applied in part", session)
    else:
        assert (found.outcome, found.type, found.session) == ("rejected", "rejected", session)
    assert any(line.startswith(f"    problem: {problem}") for line in found.lines())
    assert not any("would be" in line for line in found.lines())


def test_no_personal_data_is_shown_in_full() -> None:
    customer = {
        "full_name": "Jane Doe",
        "phone_number": "300 123 4567",
        "country_code": "CO",
        "email": "jane@example.com",
    }
    made = event(customer=customer, **{"jane@example.com": 1, "573001234567": 2})  # type: ignore[arg-type]
    shown = "\n".join(viewed(made).lines()) + json.dumps(viewed(made).data())
    assert not [text for text in ("Jane", "Doe", "300 123", "3001234567", "jane@") if text in shown]


def test_control_characters_are_escaped() -> None:
    made = event(
        session="a\x1b[2Jb", customer={"full_name": "\x1b[31mJane"}, cart={"total_value": 1, "currency": "\x1b[2"}
    )
    assert "\x1b" not in "".join(viewed(made).lines())


def test_unusable_contact_fields_are_not_valid() -> None:
    customer = {"full_name": "-", "phone_number": "12", "country_code": "XX", "email": "x"}
    assert set(viewed(event(customer=customer)).customer.values()) == {"not valid"}


def test_late_event_says_by_how_much() -> None:
    assert "occurred 10 min before its arrival" in "".join(viewed(event(occurred_at="2025-12-01T00:50:00Z")).lines())


@pytest.mark.parametrize("session", ["jane.doe@example.com", "+573001234567"])
def test_personal_session_id_is_masked(session: str) -> None:
    found = viewed(event(session=session))
    for shown in (*found.lines(), json.dumps(found.data())):
        assert session not in shown
        assert "*" in shown


@pytest.mark.parametrize("name", ["300-123-4567", "jane@example.com", "x" * 5000])
def test_name_of_an_unknown_field_is_masked_or_short(name: str) -> None:
    found = viewed(event(customer={name: 1}))
    for shown in (*found.lines(), json.dumps(found.data())):
        assert name not in shown
        assert len(shown) < 1000
