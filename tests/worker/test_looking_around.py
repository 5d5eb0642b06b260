"""The fast reader of plain activity agrees with the thorough one, or returns nothing."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.activity import MAX_EVENT_BYTES
from detectors.flow import PLATFORMS, STAGES
from detectors.parsing import parse
from detectors.sequence import position
from detectors.session_fields import fields_of
from state.sessions import Change
from worker.ingest import fast_path
from worker.ingest.changes import new_change, own_change, plain_change, with_mark

ARRIVAL_MS = 1_764_142_500_123
USUAL = {
    "session_id": "sess_1",
    "type": "activity",
    "occurred_at": "2025-11-26T07:34:59.500Z",
    "flow_stage": "checkout",
    "platform": "web",
}


def thorough(raw: bytes) -> Change | None:
    """Return the only allowed result of the fast reader: an activity without other data or problems."""
    parsed = parse(raw)
    event = parsed.event
    if event is None or parsed.problems or event.session_id is None:
        return None
    at = position(event, ARRIVAL_MS)
    if event.type != "activity" or fields_of(event) or event.previous_session_id:
        return None
    change = own_change(event.session_id, event, at)
    # The fast reader omits the field if it has the same value.
    return change._replace(seen_ms=0) if change.seen_ms == change.silent_since_ms else change


def agrees(raw: bytes) -> bool:
    found = fast_path.read(raw, ARRIVAL_MS)
    return found is None or found == thorough(raw)


VALUES = st.one_of(
    st.sampled_from(["activity", "exit", "order_completed", *STAGES, *PLATFORMS, "s-1", "s-1\n", "", "s 1", "x" * 129]),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.lists(st.text(max_size=2), max_size=2),
    st.text(max_size=20),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.sampled_from(
        ["2025-11-26", "20251126T073459Z", "2025-W48-3", "2025-11-26T07:34:59+05:30", "1764142499", "24:00"]
    ),
)


@given(st.dictionaries(st.sampled_from([*USUAL, "cart", "previous_session_id", "unknown"]), VALUES, max_size=7))
def test_it_agrees_on_usual_events_with_anything_changed(changed: dict[str, object]) -> None:
    assert agrees(json.dumps({**USUAL, **changed}).encode())


@given(st.sets(st.sampled_from([*USUAL])))
def test_it_agrees_on_usual_events_with_anything_missing(missing: set[str]) -> None:
    assert agrees(json.dumps({name: value for name, value in USUAL.items() if name not in missing}).encode())


@given(st.integers(0, 200), st.binary(max_size=3), st.integers(0, 3))
@example(0, b"\xef\xbb\xbf", 0)
@example(16, b"\\ud800", 0)
@example(1, b'"session_id":"other",', 0)
def test_it_agrees_on_bytes_that_are_damaged(at: int, put: bytes, instead_of: int) -> None:
    raw = json.dumps(USUAL).encode()
    assert agrees(raw[:at] + put + raw[at + instead_of :])


@pytest.mark.parametrize("session", ["s-1\n", "s-1 ", "é", "", "x" * 129])
def test_a_session_that_is_none_is_left_to_the_thorough_one(session: str) -> None:
    assert fast_path.read(json.dumps({**USUAL, "session_id": session}).encode(), ARRIVAL_MS) is None


def test_one_that_is_too_large_is_left_to_the_thorough_one() -> None:
    raw = json.dumps(USUAL).encode() + b" " * MAX_EVENT_BYTES
    assert parse(raw).problems
    assert fast_path.read(raw, ARRIVAL_MS) is None


@pytest.mark.parametrize("without", ["", "occurred_at"])
def test_the_usual_event_is_read_by_it(without: str) -> None:
    raw = json.dumps({name: value for name, value in USUAL.items() if name != without}).encode()
    found = fast_path.read(raw, ARRIVAL_MS)
    assert found is not None
    assert found == thorough(raw)


@pytest.mark.parametrize(
    "more", [{"customer": {"full_name": "Jane"}}, {"cart": None}, {"type": "exit"}, {"unknown": 1}, {"platform": "tv"}]
)
def test_event_with_more_content_takes_the_full_path(more: dict[str, object]) -> None:
    assert fast_path.read(json.dumps({**USUAL, **more}).encode(), ARRIVAL_MS) is None


def test_changes_have_what_their_names_say() -> None:
    said = {
        "stamp": 1,
        "activity": 2,
        "signal": 3,
        "purchase": 4,
        "silent_since_ms": 5,
        "wants_mark": True,
        "seen_ms": 6,
    }
    change = Change(session_id="s-1", fields={"name": "Jane"}, **said)  # type: ignore[arg-type]
    assert new_change(session_id="s-1", fields={"name": "Jane"}, **said) == change  # type: ignore[arg-type]
    assert new_change(session_id="s-1", stamp=1) == Change("s-1", 1, 0, 0, 0, 0, {})
    assert plain_change("s-1", 7, 8) == Change("s-1", 7, 7, 0, 0, 8, {})
    assert with_mark(change, wants_mark=False) == change._replace(wants_mark=False)
