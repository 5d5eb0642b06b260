"""An entry of the outcome feed: its id, its fields, and no personal data."""

import json
from typing import Any

import pytest

from state.outcome_feed import Outcome
from state.session_record import RANK_SPAN
from tasks.outcomes.entry import entry_of, session_in_feed
from tasks.outcomes.names import NAMES
from tests.support.states import SECRET

AT_MS = 1_764_000_000_000
MINUTE_MS = 60_000


def outcome(**changed: Any) -> Outcome:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {
        "place": 7,
        "outreach": "07-0123456789abcdef",
        "kind": "sent",
        "reason": "",
        "at_ms": AT_MS,
        "session": "cart-1",
        "lane": "checkout.web.idle",
        "last": (AT_MS - 20 * MINUTE_MS) * RANK_SPAN + 3,
        "contacted_at_ms": AT_MS - MINUTE_MS,
        "order": "",
        "member": b"",
    }
    return Outcome(**(fields | changed))


def body(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    found: dict[str, Any] = json.loads(entry_of(outcome(**changed), SECRET).body)
    return found


def test_contact_is_told_with_ids_and_times() -> None:
    assert entry_of(outcome(), SECRET).id == "07-0123456789abcdef.contacted.7"
    assert body() == {
        "type": "outreach.contacted",
        "timestamp": "2025-11-24T16:00:00Z",
        "data": {
            "outreach_id": "07-0123456789abcdef",
            "session_id": "cart-1",
            "outcome": "contacted",
            "reason": None,
            "kind": "idle",
            "stage": "checkout",
            "platform": "web",
            "abandoned_at": "2025-11-24T15:40:00Z",
            "contacted_at": "2025-11-24T15:59:00Z",
        },
    }


@pytest.mark.parametrize(("kind", "name"), NAMES.items())
def test_each_kind_has_its_type(kind: str, name: str) -> None:
    assert body(kind=kind)["type"] == f"outreach.{name}"
    assert body(kind=kind)["data"]["outcome"] == name


@pytest.mark.parametrize(("kind", "is_told"), [("sent", True), ("unknown", True), ("suppressed", False)])
def test_only_a_possible_contact_has_its_time(kind: str, *, is_told: bool) -> None:
    assert (body(kind=kind)["data"]["contacted_at"] is not None) is is_told


@pytest.mark.parametrize(
    ("packed", "value", "currency"),
    [
        ("0001764000000000 COP 0000000000014999", 149.99, "COP"),
        ("0001764000000000 CLP 0000000000014999", 14999, "CLP"),
        ("1001764000000000 BRL 0000000000010000", 100, "BRL"),
        ("2001764000000000 unpriced 0000000000000001", None, None),
    ],
)
def test_recovery_has_the_order_of_the_shopper(packed: str, value: float | None, currency: str | None) -> None:
    assert body(kind="recovered", order=packed)["data"]["order"] == {
        "value": value,
        "currency": currency,
        "placed_at": "2025-11-24T16:00:00Z",
    }


def test_unknown_lane_and_missing_activity_leave_fields_empty() -> None:
    data = body(lane="cinema.tv.idle", last=0)["data"]
    assert (data["kind"], data["stage"], data["platform"], data["abandoned_at"]) == (None, None, None, None)


@pytest.mark.parametrize("session", ["jane@example.com", "cart-jane@example.com-1", "+573001234567"])
def test_personal_session_id_is_a_keyed_hash(session: str) -> None:
    shown = session_in_feed(session, SECRET)
    assert shown.startswith("hash:")
    assert len(shown) == len("hash:") + 32
    assert shown != session_in_feed(session, b"another secret")
    assert session not in entry_of(outcome(session=session), SECRET).body


@pytest.mark.parametrize("session", ["cart-1", "573001234567", "h/0123456789abcdef0123456789abcdef01234567"])
def test_other_session_ids_are_unchanged(session: str) -> None:
    assert session_in_feed(session, SECRET) == session


def test_erased_session_is_left_out() -> None:
    assert body(session="")["data"]["session_id"] is None
