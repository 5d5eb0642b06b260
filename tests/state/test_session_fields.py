"""An event's customer, cart and engagement, the people that it marks, and the lifetime of a session."""

import pytest

from detectors.lanes import LANES
from state.erasure import Erasure
from state.keys import SESSION_TTL_MS
from state.session_record import RANK_SPAN
from state.sessions import Change, Mark
from tests.support.dumps import dump
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import JANE, Event, apply, arrived, event, happen
from tests.support.partitions import same_partition
from tests.support.stored_state import lanes_of, now_ms, stored, ttl_ms
from worker.ingest.batch import collect
from worker.runtime import State


@pytest.fixture
def at_ms(state: State) -> int:
    """Return a time of today, so that no session has expired when it is read."""
    return now_ms(state) - HOUR_MS


def iso(at_ms: int) -> float:
    """Return a time as Unix seconds, which pydantic also reads."""
    return at_ms / 1000


# Customer, cart and engagement


def fields_after(state: State, *events: Event) -> dict[str, str]:
    at_ms = now_ms(state) - HOUR_MS
    apply(state, *(arrived(made, at_ms + n) for n, made in enumerate(events)))
    return dict(stored(state).fields)


def test_customer_fields_are_merged_one_by_one(state: State) -> None:
    found = fields_after(
        state,
        event(customer={"full_name": "Jane", "email": "a@example.com"}),
        event(customer={"full_name": "Jane Doe"}),
    )
    assert found == {"name": "Jane Doe", "email": "a@example.com"}


def test_older_event_fills_missing_fields_and_replaces_none(state: State, at_ms: int) -> None:
    old = event(occurred_at=iso(at_ms - 1), customer={"full_name": "J", "email": "a@example.com"})
    apply(state, arrived(event(customer={"full_name": "Jane"}), at_ms), arrived(old, at_ms + 1))
    assert stored(state).fields == {"name": "Jane", "email": "a@example.com"}


def test_null_clears_a_field_unless_it_is_older(state: State, at_ms: int) -> None:
    apply(state, arrived(event(customer=JANE), at_ms), arrived(event(customer={"phone_number": None}), at_ms + 1))
    assert stored(state).fields["phone"] == ""
    apply(state, arrived(event(customer=JANE, occurred_at=iso(at_ms)), at_ms + 2))
    assert stored(state).fields["phone"] == ""
    apply(state, arrived(event(customer=JANE), at_ms + 3))
    assert stored(state).fields["phone"] == "+573001234567"


def test_the_cart_is_replaced_whole(state: State) -> None:
    first = {"total_value": 10, "currency": "COP", "items": [{"name": "A", "sku": "a", "quantity": 1, "price": 10}]}
    found = fields_after(state, event(cart=first), event(cart={"items": [{"name": "B"}]}))
    assert found == {"cart": '[null,null,[["B",null,null,null]]]'}


@pytest.mark.parametrize("empty", [None, {"items": []}, {"total_value": 0, "items": []}])
def test_an_empty_cart_empties_it(state: State, empty: object) -> None:
    assert fields_after(state, event(cart={"total_value": 10}), event(cart=empty)) == {"cart": ""}


def test_an_event_without_a_cart_leaves_it_as_it_is(state: State) -> None:
    assert fields_after(state, event(cart={"total_value": 10.5}), event()) == {"cart": "[10.5,null,null]"}


def test_metadata_is_merged_key_by_key(state: State) -> None:
    first, second = {"metadata": {"utm": "spring", "n": 1}}, {"metadata": {"n": None, "a b": [1]}}
    found = fields_after(state, event(engagement=first), event(engagement=second))
    assert found == {"meta.utm": '"spring"', "meta.n": "", "meta.a b": "[1]"}


def test_consent_and_engagement_are_merged_like_any_field(state: State) -> None:
    found = fields_after(
        state,
        event(customer={"consent": {"call": True, "whatsapp": True}}, engagement={"reason": "r"}),
        event(customer={"consent": {"call": False}}, engagement={"preferred_channel": "call"}),
    )
    assert found == {"consent.call": "false", "consent.whatsapp": "true", "reason": "r", "channel": "call"}


def test_text_of_any_script_and_length_is_kept(state: State) -> None:
    name = "Zoë \u0000 {}*\n'\"\\ 名前"
    assert fields_after(state, event(customer={"full_name": name})) == {"name": name}


# Reporting the people to mark


def test_order_returns_the_person_each_time_it_is_applied(state: State, at_ms: int) -> None:
    apply(state, arrived(event(customer=JANE), at_ms))
    order = arrived(event("order_completed", stage=None), at_ms + 1)
    for _ in range(2):
        (mark,) = apply(state, order)
        assert (mark.phone, mark.country, mark.purchase // 100, mark.opted_out) == (
            JANE["phone_number"],
            "CO",
            at_ms + 1,
            False,
        )


@pytest.mark.parametrize("kind", ["order_completed", "opt_out"])
@pytest.mark.parametrize("late", ["phone_number", "country_code", "email"])
def test_identity_can_arrive_after_the_marking_event(state: State, at_ms: int, kind: str, late: str) -> None:
    jane = JANE | {"email": "jane@example.com"}
    early = {name: value for name, value in jane.items() if name != late}
    apply(state, arrived(event(customer=early), at_ms), arrived(event(kind, stage=None), at_ms + 1))
    (change,) = collect([arrived(event(customer={late: jane[late]}), at_ms + 2)]).changes
    (mark,) = state.sessions.apply([change._replace(wants_mark=False)])
    assert (mark.phone, mark.country, mark.email) == (JANE["phone_number"], "CO", "jane@example.com")
    assert bool(mark.purchase) == (kind == "order_completed")
    assert mark.opted_out == (kind == "opt_out")


def test_opt_out_by_session_only_returns_the_person(state: State, at_ms: int) -> None:
    apply(state, arrived(event(customer=JANE), at_ms))
    (mark,) = apply(state, arrived(event("opt_out", stage=None), at_ms + 1))
    assert (mark.phone, mark.opted_out, mark.purchase) == (JANE["phone_number"], True, 0)


def test_activity_without_purchase_or_opt_out_marks_no_person(state: State, at_ms: int) -> None:
    (mark,) = apply(state, arrived(event(customer=JANE), at_ms), arrived(event("exit"), at_ms + 1))
    assert (mark.change, mark.purchase, mark.opted_out) == (0, 0, False)


def test_requested_mark_has_all_identity_fields(state: State, at_ms: int) -> None:
    said = [{"phone": "+573001234567"}, {"country": "CO"}, {"email": "jane@example.com"}]
    changes = [_change(at_ms + place, fields) for place, fields in enumerate(said)]
    assert state.sessions.apply(changes[:2]) == []
    (mark,) = state.sessions.apply([changes[2]._replace(wants_mark=True)])
    assert mark == Mark(
        0, "+573001234567", "CO", "jane@example.com", 0, opted_out=False, superseded_by="", superseded=0
    )
    (again,) = state.sessions.apply([_change(at_ms + 9, {})._replace(wants_mark=True)])
    assert again == mark


def test_requested_mark_has_opt_out_and_purchase(state: State, at_ms: int) -> None:
    happen(state, event("opt_out", stage=None, customer=JANE))
    happen(state, event("order_completed", stage=None))
    (mark,) = state.sessions.apply([_change(at_ms, {"name": "Jane"})._replace(wants_mark=True)])
    assert (mark.phone, mark.opted_out, mark.purchase > 0) == (JANE["phone_number"], True, True)


def test_requested_mark_of_an_erased_session_is_empty(state: State, at_ms: int) -> None:
    happen(state, event(customer=JANE))
    Erasure(state.scripts, state.keys, [lane.name for lane in LANES]).erase(["s-1"], [])
    assert state.sessions.apply([_change(at_ms, {"phone": "+573001234567"})._replace(wants_mark=True)]) == []


def _change(at_ms: int, fields: dict[str, str]) -> Change:
    sequence = at_ms * RANK_SPAN
    return Change("s-1", sequence, sequence, 0, 0, at_ms, fields)


def test_each_mark_names_the_change_that_it_comes_from(state: State, at_ms: int) -> None:
    sessions = [f"s-{number}" for number in range(20)]
    events = [event("order_completed" if n % 3 == 0 else "exit", session) for n, session in enumerate(sessions)]
    marks = apply(state, *(arrived(made, at_ms) for made in events))
    assert sorted(mark.change for mark in marks) == [0, 3, 6, 9, 12, 15, 18]


# Where and how long


def test_sessions_of_one_partition_do_not_touch_each_other(state: State, at_ms: int) -> None:
    one, other = same_partition("s-1")
    apply(state, arrived(event(session=one, customer=JANE), at_ms))
    before = dump(state)[state.keys.session(one)]
    apply(state, arrived(event("order_completed", other), at_ms), arrived(event(session=other), at_ms + 1))
    assert dump(state)[state.keys.session(one)] == before
    assert lanes_of(state, one) == {"checkout.web.idle": at_ms}


def test_a_session_lives_seven_days_after_its_last_activity(state: State) -> None:
    happen(state, event(), ago_ms=3 * DAY_MS)
    key = state.keys.session("s-1")
    left = ttl_ms(state, key)
    assert left is not None
    assert 4 * DAY_MS - MINUTE_MS < left <= 4 * DAY_MS + HOUR_MS
    happen(state, event())
    left = ttl_ms(state, key)
    assert left is not None
    assert SESSION_TTL_MS - MINUTE_MS < left <= SESSION_TTL_MS + HOUR_MS


@pytest.mark.parametrize("kind", ["opt_out", "order_completed", "exit", "payment_pending"])
def test_every_event_leaves_its_session_with_a_time_to_live(state: State, kind: str) -> None:
    happen(state, event(kind, stage=None, customer=JANE))
    assert ttl_ms(state, state.keys.session("s-1")) is not None
