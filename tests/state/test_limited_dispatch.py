"""Dispatch and attempts within the limits: blocked outreaches stay due, and unused permits return."""

import pytest

from state.session_record import STAMP_WIDTH
from tasks.delivery.attempt import attempt
from tests.support.attempts import attempt_again, comes_back, let_it_be_reaped, yuno
from tests.support.control_support import granted, let_pass, places
from tests.support.durations import HOUR_MS, SECOND_MS
from tests.support.events import event, happen
from tests.support.faulty_server import OK, http
from tests.support.limited import limited, round_of, somebody
from tests.support.stored_state import places_of, record
from tests.tasks.test_dispatch import abandoned
from worker.runtime import State


def test_rate_limited_outreaches_stay_due_in_order(state: State) -> None:
    due = abandoned(state, 7)
    with yuno(state, rate="3/h") as (deps, _):
        assert deps.control.limits.burst == 1
        sent: list[str] = []
        for number in range(3):
            sent += round_of(deps)
            assert sent == due[: number + 1]
            assert round_of(deps) == []
            let_pass(state, HOUR_MS // 3 + SECOND_MS)
    assert all(places_of(state, outreach) == {"due"} for outreach in due[3:])
    assert "lease_ran_out" not in record(state, due[-1])["history"]


def test_as_many_wait_in_the_queue_as_may_go_at_once(state: State) -> None:
    abandoned(state, 9)
    with yuno(state, rate="4/s") as (deps, _):
        assert [len(round_of(deps, queued=queued)) for queued in (5, 4, 3)] == [0, 0, 1]


def test_most_are_suppressed_and_the_rate_is_not_spent_on_them(state: State) -> None:
    due = abandoned(state, 5)
    for number in range(4):
        state.client.hset(state.keys.session(f"s-{number}"), "cart", "0" * STAMP_WIDTH)
    with yuno(state, rate="1/h") as (deps, server):
        for outreach in due[:4]:
            assert round_of(deps) == [outreach]
            assert attempt(outreach, deps).reason == "cart_emptied"
        assert round_of(deps) == due[4:]
        assert attempt(due[4], deps).outcome == "sent"
        assert granted(deps.control) == 0
        assert len(server.requests) == 1


@pytest.mark.parametrize("end", ["postponed", "came_back", "lost", "fence", "person"])
def test_an_attempt_that_makes_no_request_gives_its_permit_back(
    state: State, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    [outreach] = abandoned(state, 1)
    with yuno(state, rate="1/h", max_per_day=1) as (deps, server):
        assert round_of(deps) == [outreach]
        if end == "postponed":
            state.client.hset(state.keys.outreach(outreach), "barrier", "9999999999999-0")
            unread = state.client.xadd(state.keys.events, {"event": "{}"})
            assert unread
        elif end == "came_back":
            happen(state, event(session="s-0", cart={"items": []}), ago_ms=21 * HOUR_MS)
        elif end == "person":
            monkeypatch.setattr(type(state.people), "reserve", lambda *_, **__: "opted_out")
        else:
            really = deps.control.gate

            def gate(taken: object) -> object:
                if end == "lost":
                    let_it_be_reaped(state, outreach)
                else:
                    comes_back(state, "s-0")
                return really(taken)  # type: ignore[arg-type] # it is what was taken

            monkeypatch.setattr(deps.control, "gate", gate)
        assert attempt(outreach, deps).outcome in {"postponed", "cancelled", "lost", "suppressed"}
        assert server.requests == []
        assert places(state) == {}
        assert granted(deps.control) == 1


def test_a_message_that_comes_twice_gives_nothing_back(state: State) -> None:
    [outreach] = abandoned(state, 1)
    with yuno(state, rate="1/h") as (deps, _):
        assert round_of(deps) == [outreach]
        assert [attempt(outreach, deps).outcome for _ in range(2)] == ["sent", "dropped"]
        assert granted(deps.control) == 0


def test_permits_return_when_another_dispatcher_leased_first(state: State) -> None:
    due = abandoned(state, 3)
    with yuno(state) as (deps, _):
        by = limited(state, deps, rate="3/s")
        found = state.outbox.due

        def late(limit: int, *, now_ms: int) -> list[int]:
            seen = found(limit, now_ms=now_ms)
            state.outbox.lease(seen[:2], barrier="0-0")
            return seen

        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(state.outbox, "due", late)
            assert round_of(by) == due[2:]
        assert granted(by.control) == 2


# Daily contacts


def test_daily_limit_leaves_the_rest_due(state: State) -> None:
    due = [somebody(state, number) for number in range(4)]
    with yuno(state, http(500), OK, rate="off", max_per_day=2) as (deps, server):
        assert round_of(deps) == due[:2]
        assert [attempt(outreach, deps).outcome for outreach in due[:2]] == ["waiting", "sent"]
        # The failed one was no contact, and left its slot to the next in the order of abandonment.
        assert round_of(deps) == due[2:3]
        assert attempt(due[2], deps).outcome == "sent"
        assert round_of(deps) == []
        assert [places_of(state, outreach) for outreach in (due[0], due[3])] == [{"due"}, {"due"}]
        assert attempt_again(state, due[0], deps).reason == "sending_full"
        assert len(server.requests) == 3
    assert len(places(state)) == 2


def test_unknown_attempt_counts_as_a_contact(state: State) -> None:
    due = [somebody(state, number) for number in range(2)]
    with yuno(state, http(504), max_per_day=1) as (deps, _):
        assert round_of(deps) == due[:1]
        assert attempt(due[0], deps).outcome == "unknown"
        assert round_of(deps) == []


def test_possible_contact_keeps_its_daily_slot(state: State) -> None:
    due = somebody(state, 0)
    with yuno(state, http(504), http(400), max_per_day=1, on_unknown="retry") as (deps, _):
        assert round_of(deps) == [due]
        assert attempt(due, deps).outcome == "waiting"
        assert attempt_again(state, due, deps).outcome == "unknown"
    assert list(places(state)) == [due]
