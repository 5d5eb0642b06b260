"""Unreadable parts are quarantined with the reason and without personal data; the others are applied."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.support.dumps import dump
from tests.support.events import JANE, Event, arrived, event
from tests.support.ingest_support import (
    ingest_of,
    publish,
    publish_raw,
    rejected,
    waiting,
)
from tests.support.stored_state import stored
from worker.ingest.batch import collect
from worker.runtime import State

PHONE = JANE["phone_number"]


def test_an_event_with_an_unreadable_part_is_applied_without_it(state: State) -> None:
    publish(state, event(customer=JANE | {"email": True}, occurred_at="yesterday", engagement={"reason": "r"}))
    ingest_of(state).step()
    assert stored(state).fields == {"name": "Jane Doe", "phone": PHONE, "country": "CO", "reason": "r"}
    ((field, reason, applied),) = rejected(state)
    assert (field, applied) == ("occurred_at", True)
    assert "occurred_at: " in reason
    assert "customer.email: " in reason


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"", "event"),
        (b"{", "event"),
        (b"[]", "event"),
        (b"null", "event"),
        (b"\xff\xfe", "event"),
        (b'{"type": "activity"}', "session_id"),
        (b'{"session_id": 1.5, "type": "activity"}', "session_id"),
        (b'{"session_id": "' + b"x" * 513 + b'", "type": "activity"}', "session_id"),
        (b'{"session_id": "a", "type": "exit", "x": "' + b"x" * 1_050_000 + b'"}', "event"),
        (b'{"type": "opt_out", "customer": {"phone_number": "12"}}', "customer.phone_number"),
        (b"[" * 60_000, "event"),
    ],
)
def test_unreadable_event_is_quarantined_and_neighbours_applied(state: State, raw: bytes, field: str) -> None:
    publish(state, event(session="before"))
    entry_id = publish_raw(state, raw)
    publish(state, event(session="after"))
    ingest_of(state).step()
    assert [(found, applied) for found, _, applied in rejected(state)] == [(field, False)]
    client: Any = state.client
    ((_, fields),) = client.xrange(state.keys.rejected)
    assert fields[b"entry"] == entry_id
    assert waiting(state) == 0
    assert stored(state, "before").activity
    assert stored(state, "after").activity


def test_entry_without_the_field_is_quarantined_with_a_hint(state: State) -> None:
    state.streams.first.create_group()
    state.scripts.client.execute_command("XADD", state.keys.events, "*", "evnet", "{}")
    ingest_of(state).step()
    ((field, reason, _),) = rejected(state)
    assert field == "event"
    assert "field `event`" in reason


def test_quarantine_and_log_hold_no_personal_data(state: State) -> None:
    secrets = ("Wanda Sekret", "+573009876543", "wanda@sekret.example", "Sekret Street 7")
    name, phone, email, street = secrets
    customer: dict[str, Any] = {"full_name": name, "phone_number": phone, "email": email, "country_code": street}
    publish(
        state,
        event(customer=customer | {"full_name": name * 100}),
        event(customer=customer | {"consent": street}),
        event(customer=name, cart=street, engagement=phone),
        event(customer=customer, flow_stage=name, platform=street, occurred_at=phone, expires_at=email),
        event(name, customer=customer),
        event(session=f"{phone} {name}" * 50, customer=customer),
        event("opt_out", f"{phone} {name}" * 50, customer=customer),
        event("opt_out", None, customer=customer | {"phone_number": street}),
        event(customer=customer, cart={"items": [{"name": name, "quantity": street, "price": phone}], "currency": 7}),
        event(engagement={"metadata": {street: "x" * 9000}, "preferred_channel": {name: phone}}),
    )
    publish_raw(state, f'{{"customer": "{name}", {street}'.encode())
    with capture_logs() as logs:
        ingest_of(state).step()
    assert len(rejected(state)) >= 8
    written = f"{dump(state)[state.keys.rejected]} {logs}"
    assert not [secret for secret in secrets if secret in written]
    assert waiting(state) == 0


# Whatever is in an entry

SECRET_TEXT = "Wanda Sekret"
FULL: Event = {
    "session_id": "s-1",
    "type": "payment_pending",
    "occurred_at": "2025-05-13T22:40:00Z",
    "expires_at": "2025-05-14T22:40:00Z",
    "flow_stage": "checkout",
    "platform": "web",
    "previous_session_id": "s-0",
    "customer": JANE | {"email": "a@example.com", "language": "es", "consent": {"call": True, "whatsapp": False}},
    "cart": {"total_value": 1.5, "currency": "COP", "items": [{"name": "A", "sku": "a", "quantity": 1, "price": 1.5}]},
    "engagement": {"preferred_channel": "auto", "reason": "r", "metadata": {"a": [1, {"b": None}]}},
    "order_value": 1,
    "currency": "COP",
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(SECRET_TEXT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.just(SECRET_TEXT), inner),
    max_leaves=6,
)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A full event in which something, somewhere, is anything at all."""
    made = json.loads(json.dumps(FULL))
    for _ in range(draw(st.integers(1, 3))):
        part = made
        while True:
            places = list(part) if isinstance(part, dict) else list(range(len(part)))
            if not places:
                break
            place = draw(st.sampled_from(places))
            if isinstance(part[place], dict | list) and draw(st.booleans()):
                part = part[place]
                continue
            part[place] = draw(anything)
            break
    return json.dumps(made, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")


@given(st.binary(max_size=200) | broken())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_entry_is_read_without_error_or_disclosure(raw: bytes) -> None:
    batch = collect([arrived(raw, 1_747_176_000_000)])
    told = " ".join(str(problem) for rejection in batch.rejections for problem in rejection.problems)
    assert SECRET_TEXT not in told
    assert batch.changes or batch.rejections or b"consent" in raw  # a refusal can name only a person
    for change in batch.changes:
        assert change.activity or change.signal or change.purchase or change.stamp
        assert all(isinstance(value, str) for value in change.fields.values())
