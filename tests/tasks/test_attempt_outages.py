"""An attempt during which Redis goes down."""

import pytest

from state.errors import ServerFullError, ServerUnavailableError, StateError
from state.script import NamedCall
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tests.support.attempts import attempt_again, held_by, let_it_be_reaped, yuno
from tests.support.faulty_server import OK, http
from tests.support.interrupting import dispatched, nothing_is_left
from tests.support.stored_state import counters, places_of, record, stored
from tests.support.wire import Wire
from worker.runtime import State


def away(state: State, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Let one script fail `before` it was carried out, or `after`, as if only its answer was lost."""
    moment, name = when.split()
    really = state.scripts.run

    def run(call: NamedCall) -> object:
        if call.name != name:
            return really(call)
        if moment == "after":
            really(call)
        raise ServerUnavailableError("away")

    monkeypatch.setattr(state.scripts, "run", run)


@pytest.mark.parametrize(
    ("when", "answer", "ends_after"),
    [
        ("before take", OK, ("sent", 1)),
        ("after take", OK, ("sent", 1)),
        ("before settle", OK, ("unknown", 1)),
        ("after settle", OK, ("sent", 1)),
        ("before settle", http(500), ("unknown", 1)),
        ("after settle", http(500), ("sent", 2)),
        ("before release", http(500), ("unknown", 1)),
        ("after release", http(500), ("unknown", 1)),
    ],
)
def test_attempt_without_redis_is_left_to_its_lease(
    state: State, monkeypatch: pytest.MonkeyPatch, when: str, answer: bytes, ends_after: tuple[str, int]
) -> None:
    outreach = dispatched(state)
    with yuno(state, answer, OK) as (deps, server):
        with monkeypatch.context() as broken:
            away(state, broken, when)
            with pytest.raises(StateError):
                attempt(outreach, deps)
        if "leased" in places_of(state, outreach):
            let_it_be_reaped(state, outreach)
        if "due" in places_of(state, outreach):
            assert attempt_again(state, outreach, deps).outcome == "sent"
        assert (record(state, outreach)["state"], len(server.requests)) == ends_after
        assert nothing_is_left(state, outreach)


@pytest.mark.parametrize("when", ["before fence", "after fence", "before reserve", "after reserve"])
def test_unrecordable_attempt_is_made_later(state: State, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    outreach = dispatched(state)
    with yuno(state, OK) as (deps, server):
        with monkeypatch.context() as broken:
            away(state, broken, when)
            assert attempt(outreach, deps).outcome == ("postponed" if when == "before fence" else "waiting")
        assert "state_unreachable" in record(state, outreach)["history"]
        assert server.requests == []
        assert held_by(state) == ""
        assert attempt_again(state, outreach, deps) == AttemptOutcome(outreach, "sent", "", 1, "http_200")
        assert len(server.requests) == 1


def test_the_answer_is_kept_until_redis_is_back_to_take_it(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    outreach = dispatched(state)
    really, refusals = state.scripts.run, [ServerUnavailableError("away"), ServerFullError("full")] * 2

    def run(call: NamedCall) -> object:
        if call.name == "settle" and refusals:
            raise refusals.pop()
        return really(call)

    monkeypatch.setattr(state.scripts, "run", run)
    with yuno(state, OK) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "sent", "", 1, "http_200")
        assert len(server.requests) == 1
    assert refusals == []


def test_reply_after_the_lease_still_counts(state: State) -> None:
    outreach = dispatched(state)

    def late(wire: Wire) -> None:
        wire.request()
        let_it_be_reaped(state, outreach)
        assert record(state, outreach)["state"] == "unknown"
        wire.send(OK)

    with yuno(state, late) as (deps, _):
        assert attempt(outreach, deps).outcome == "sent"
    assert counters(state) == {"sent": 1}
    assert stored(state).contacts == 1
