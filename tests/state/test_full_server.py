"""A server that has reached maxmemory: nothing is half done, sent outreaches are recorded, and work resumes later."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from state import deployment
from state.errors import ServerFullError
from state.people import PersonFacts
from tests.support.control_support import control, granted, passes
from tests.support.control_support import held as in_flight
from tests.support.control_support import sending as how_it_goes
from tests.support.dumps import dump
from tests.support.durations import HOUR_MS, SECOND_MS
from tests.support.events import JANE, apply, arrived, event, happen
from tests.support.ingest_support import facts_of, ingest_of, publish, rejected, waiting
from tests.support.outreaches import BODY, abandon, dispatch, sending, sweep, take, taken
from tests.support.passing_time import let_lease_run_out
from tests.support.states import CONTACT_REF, LIMITS, SECRET
from tests.support.stored_state import now_ms, places_of, record, stored
from worker.runtime import State

pytestmark = pytest.mark.xdist_group("valkey")
PERSON = "ab" * 32


@contextmanager
def full(state: State) -> Iterator[None]:
    """A server that refuses every write that needs memory."""
    state.client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        state.client.config_set("maxmemory", 0)


@pytest.mark.parametrize("sessions", [1, 40])
def test_events_are_refused_whole(real_state: State, sessions: int) -> None:
    state, at_ms = real_state, now_ms(real_state)
    outreach = abandon(state)
    entries = [arrived(event("order_completed", f"s-{number}", customer=JANE), at_ms) for number in range(sessions)]
    before = dump(state)
    with full(state), pytest.raises(ServerFullError, match="maxmemory"):
        apply(state, *entries, arrived(event(), at_ms))
    assert dump(state) == before
    apply(state, *entries, arrived(event(), at_ms))
    assert record(state, outreach)["state"] == "cancelled"


def steps(state: State) -> dict[str, Callable[[], object]]:
    """Return every write that can be refused, ready to run."""
    held, ended = taken(state, "s-held"), taken(state, "s-ended")
    let_lease_run_out(state, sending(state, "s-frozen").outreach)
    leased = abandon(state, "s-leased")
    dispatch(state)
    abandon(state, "s-due")
    happen(state, event(session="s-silent", customer=JANE), ago_ms=HOUR_MS)
    return {
        "claim": lambda: sweep(state, lanes=["checkout.web.idle"]),
        "lease_due": lambda: dispatch(state),
        "take": lambda: take(state, leased),
        "fence": lambda: state.outbox.fence(held, body=BODY, key="key-1"),
        "end_unsent": lambda: state.outbox.end_unsent(ended, "suppressed", "no_cart"),
        "postpone": lambda: state.outbox.postpone(take(state, leased), delay_ms=SECOND_MS, why="quiet_hours"),
        "reap": state.outbox.reap,
        "reserve": lambda: state.people.reserve([PERSON], held.outreach, held.token, CONTACT_REF, LIMITS),
        "mark_bought": lambda: state.people.mark_bought(PERSON, now_ms(state)),
        "opt_out": lambda: state.people.opt_out(PERSON),
        "open_sweep": lambda: state.streams.open_sweep(SECOND_MS),
        "permits": lambda: control(state, rate_us=1000).permits(1, in_flight=0),
        "gate": lambda: control(state, per_day=5).gate(held),
        "silence": lambda: state.streams.shop_silence(1),
        "reject": lambda: state.streams.reject(b"1-0", [("a", "b")], applied=False),
        "check": lambda: deployment.check(state.scripts, state.keys, SECRET),
        "beat": lambda: deployment.heartbeat(state.scripts, state.keys, "ingest"),
    }


def test_how_many_streams_there_are_can_be_recorded_all_the_same(real_state: State) -> None:
    with full(real_state):
        assert len(real_state.streams.ensure(3)) == len(real_state.streams.all()) == 3


@pytest.mark.parametrize("there", [True, False], ids=["the_group_is_there", "it_is_not"])
def test_an_ingest_that_is_started_then_reads_and_makes_room(real_state: State, there: bool) -> None:  # noqa: FBT001 - a case
    publish(real_state, event("opt_out", None, stage=None), {"type": "?"})
    if there:
        real_state.streams.first.create_group()
    with full(real_state):
        assert real_state.streams.first.create_group() is not there
        entries = real_state.streams.first.read("one", count=10, block_ms=1)
        assert real_state.streams.first.acknowledge([entry.id for entry in entries]) == 2


def test_a_refused_step_changes_nothing(real_state: State) -> None:
    ready = steps(real_state)
    before = dump(real_state)
    for name, step in ready.items():
        with full(real_state), pytest.raises(ServerFullError, match="refuses writes"):
            step()
        assert dump(real_state) == before, name


def test_a_refused_step_can_be_done_once_there_is_room(real_state: State) -> None:
    ready = steps(real_state)
    del ready["postpone"]  # takes the outreach that the step before has taken
    for name, step in ready.items():
        before = dump(real_state)
        with full(real_state), pytest.raises(ServerFullError):
            step()
        step()
        assert dump(real_state) != before, name


def test_what_was_sent_is_recorded_all_the_same(real_state: State) -> None:
    sent, retried, late = (sending(real_state, f"s-{number}") for number in range(3))
    let_lease_run_out(real_state, late.outreach)
    real_state.outbox.reap()
    with full(real_state):
        assert real_state.outbox.settle(sent, "sent", line="attempt 1") == "sent"
        assert real_state.outbox.settle(retried, "retry", reason="http_503", line="attempt 1") == "waiting"
        assert real_state.outbox.settle(late, "sent", line="attempt 1") == "sent"
    assert [stored(real_state, f"s-{number}").contacts for number in range(3)] == [1, 0, 1]
    assert places_of(real_state, retried.outreach) == {"due"}


def test_a_person_is_released_all_the_same(real_state: State) -> None:
    real_state.people.reserve([PERSON], "07-0123456789abcdef", 1, CONTACT_REF, LIMITS)
    with full(real_state):
        assert real_state.people.release([PERSON], "07-0123456789abcdef", 1)
    assert real_state.people.person_facts(PERSON) == PersonFacts()


def test_unused_permits_return_and_failures_still_stop_sending(real_state: State) -> None:
    by = control(real_state, rate_us=3_600_000_000, burst=1, per_day=1)
    assert granted(by) == 1
    day = passes(by, 1).day
    with full(real_state):
        by.return_permits(in_flight(1), requests=1, day=day)
        by.report_outcome(in_flight(2), "refused", "http_401")
        assert how_it_goes(real_state).sending_state == "refused"
        by.pause("full")
        assert how_it_goes(real_state).sending_state == "paused"
        by.resume()
    real_state.client.hset(f"{real_state.keys.control}sending", "retry_at", 0)
    assert granted(by) == 1


def test_what_was_applied_is_acknowledged_all_the_same(real_state: State) -> None:
    publish(real_state, event(), event("exit"))
    real_state.streams.first.create_group()
    entries = real_state.streams.first.read("one", count=10, block_ms=1)
    with full(real_state):
        real_state.streams.first.acknowledge([entry.id for entry in entries])
    assert waiting(real_state) == 0
    assert real_state.streams.first.deliveries("one") == 0


def test_events_waiting_while_full_are_applied_later(real_state: State) -> None:
    publish(real_state, event("order_completed", customer=JANE), event(session="s-2"))
    process = ingest_of(real_state, max_deliveries=2)
    process.step()
    publish(
        real_state, event("order_completed", "s-3", customer=JANE | {"phone_number": "+573001112233"}), {"type": "?"}
    )
    with full(real_state):
        for _ in range(10):
            with pytest.raises(ServerFullError):
                process.step()
    assert waiting(real_state) == 2
    process.step()
    assert waiting(real_state) == 0
    assert stored(real_state, "s-3").state == "bought"
    assert facts_of(real_state, "+573001112233") == PersonFacts(bought=True)
    assert [field for field, _, _ in rejected(real_state)] == ["type"]


def test_refused_fence_sends_no_request(real_state: State) -> None:
    held = taken(real_state)
    with full(real_state), pytest.raises(ServerFullError):
        real_state.outbox.fence(held, body=BODY, key="key-1")
    assert record(real_state, held.outreach)["state"] == "leased"
    assert "body" not in record(real_state, held.outreach)
    let_lease_run_out(real_state, held.outreach)
    assert real_state.outbox.reap().due_again == 1
