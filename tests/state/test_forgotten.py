"""Tombstones: an erased session's earlier data isn't restored; later activity starts from scratch."""

import pytest

from state.erasure import Erased
from state.keys import SESSION_TTL_MS
from tests.support.durations import MINUTE_MS, SECOND_MS
from tests.support.erasing import forget, is_tombstone
from tests.support.events import JANE, apply, arrived, event, happen
from tests.support.outreaches import abandon, sweep
from tests.support.stored_state import lanes_of, now_ms, record, stored, texts, ttl_ms
from worker.runtime import State


def test_a_session_leaves_nothing_but_the_moment(state: State) -> None:
    happen(state, event(customer=JANE, cart={"items": [{"name": "a"}]}), ago_ms=MINUTE_MS)
    assert forget(state) == Erased(sessions=1)
    assert is_tombstone(state)
    assert lanes_of(state) == {}
    left = ttl_ms(state, state.keys.session("s-1"))
    assert left is not None
    assert SESSION_TTL_MS - MINUTE_MS < left <= SESSION_TTL_MS
    assert sweep(state) == 0
    assert forget(state) == Erased()


@pytest.mark.parametrize("kind", ["activity", "exit", "order_completed", "opt_out"])
def test_events_from_before_do_not_bring_it_back(state: State, kind: str) -> None:
    happen(state, event(customer=JANE), ago_ms=MINUTE_MS)
    late = arrived(event(kind, customer=JANE), now_ms(state) - SECOND_MS)
    forget(state)
    assert apply(state, late) == []
    assert is_tombstone(state)
    assert lanes_of(state) == {}


def test_a_usual_event_from_before_does_not_bring_it_back(state: State) -> None:
    happen(state, event(customer=JANE), ago_ms=MINUTE_MS)
    late = arrived(event(), now_ms(state) - SECOND_MS)
    forget(state)
    apply(state, late)
    assert is_tombstone(state)
    assert lanes_of(state) == {}


@pytest.mark.parametrize("kind", ["activity", "exit", "order_completed", "opt_out"])
def test_events_before_the_erasure_are_ignored_after_a_restart(state: State, kind: str) -> None:
    at_ms = now_ms(state)
    happen(state, event(customer=JANE), ago_ms=MINUTE_MS)
    forget(state)
    apply(state, arrived(event(kind, stage="payment" if kind == "activity" else None), at_ms + MINUTE_MS))
    before = texts(state, state.keys.session("s-1"))
    late = (arrived(event("exit", customer=JANE), at_ms - MINUTE_MS), arrived(event(customer=JANE), at_ms - SECOND_MS))
    assert apply(state, *late, arrived(event("order_completed", stage=None, customer=JANE), at_ms - 1)) == []
    assert texts(state, state.keys.session("s-1")) == before
    assert "phone" not in stored(state).fields


def test_what_it_does_later_begins_afresh(state: State) -> None:
    outreach = abandon(state)
    forget(state)
    at_ms = now_ms(state) + MINUTE_MS
    apply(state, arrived(event(stage="payment", customer={"full_name": "Jane"}), at_ms))
    found = stored(state)
    assert (found.state, found.outreaches, found.contacts) == ("waiting", (), 0)
    assert dict(found.fields) == {"name": "Jane"}
    assert lanes_of(state) == {"payment.web.idle": at_ms}
    apply(state, arrived(event(stage="payment"), at_ms + 1))
    assert stored(state).activity // 100 == at_ms + 1
    assert record(state, outreach) == {}


def test_an_event_of_the_same_moment_is_from_before(state: State) -> None:
    happen(state, event(customer=JANE))
    forget(state)
    moment = int(texts(state, state.keys.session("s-1"))["forgotten"])
    apply(state, arrived(event("order_completed", stage=None), moment // 100))
    assert is_tombstone(state)
    apply(state, arrived(event(), moment // 100 + 1))
    assert stored(state).state == "waiting"


def test_an_opt_out_after_it_was_forgotten_counts(state: State) -> None:
    happen(state, event(customer=JANE))
    forget(state)
    late = arrived(event("opt_out", stage=None, customer=JANE), now_ms(state) + SECOND_MS)
    (mark,) = apply(state, late)
    assert (mark.opted_out, mark.phone) == (True, JANE["phone_number"])
