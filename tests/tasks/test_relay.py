"""The relay: every outcome reaches the feed, at least once and in order, wherever it stops."""

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from state.errors import StateError
from tasks import celery_tasks
from tasks.deps import install
from tasks.outcomes.relay import EACH_ROUND, Relay
from tests.support.attempts import deps_of
from tests.support.durations import DAY_MS
from tests.support.erasing import forget
from tests.support.feed import feed_of, in_feed, outcomes_in_feed, published, relay_of, waiting
from tests.support.orders import contacted, order, order_comes
from tests.support.outreaches import sending, taken
from tests.support.stored_state import now_ms, texts
from worker.runtime import State


def test_outcomes_reach_the_feed_in_order(state: State) -> None:
    held = contacted(state)
    order_comes(state, order())
    assert relay_of(state).move() == 2
    assert outcomes_in_feed(state) == [("contacted", None), ("recovered", None)]
    assert {one["outreach_id"] for one in in_feed(state)} == {held.outreach}
    assert published(state) == []
    assert relay_of(state).move() == 0


def test_round_moves_a_bounded_number(state: State) -> None:
    state.outbox.settle(sending(state), "sent")
    (one,) = waiting(state)
    key = state.keys.unmoved(int(one.outreach[:2]))
    for place in range(EACH_ROUND):
        state.client.zadd(key, {one.member.replace(str(one.place).encode(), str(place).encode(), 1): place})
    relay = relay_of(state)
    assert [relay.move(), relay.move()] == [EACH_ROUND, 1]


class Stopping:
    """A feed whose process stops at one of its steps, before or after it was carried out."""

    def __init__(self, state: State, step: str, *, done: bool) -> None:
        self._feed, self._step, self._done = feed_of(state), step, done

    def __getattr__(self, name: str) -> Callable[..., object]:
        method: Callable[..., object] = getattr(self._feed, name)
        if name != self._step:
            return method

        def stopped(*args: object, **more: object) -> None:
            if self._done:
                method(*args, **more)
            raise StateError("stopped here")

        return stopped


@pytest.mark.parametrize("step", ["waiting", "append", "remove", "check"])
@pytest.mark.parametrize("done", [False, True])
def test_stopped_relay_repeats_and_loses_nothing(state: State, step: str, *, done: bool) -> None:
    state.outbox.settle(sending(state), "unknown", reason="read_timeout")
    state.outbox.end_unsent(taken(state, "s-2"), "suppressed", "opted_out")
    relay = relay_of(state)
    relay.feed = Stopping(state, step, done=done)  # type: ignore[assignment]
    with pytest.raises(StateError):
        relay.move()
    relay_of(state).move()
    unique = dict.fromkeys(one["id"] for one in in_feed(state))
    assert len(unique) == 2
    assert dict(outcomes_in_feed(state)) == {"unknown": "read_timeout", "suppressed": "opted_out"}
    assert published(state) == []


def test_removal_follows_the_addition_so_a_replica_loses_none(state: State) -> None:
    """A replica has a prefix of the primary's commands: with the removal it has the addition."""
    state.outbox.settle(sending(state), "sent")
    relay, steps = relay_of(state), []

    class Noting(Stopping):
        def __getattr__(self, name: str) -> Callable[..., object]:
            steps.append(name)
            return super().__getattr__(name)

    relay.feed = Noting(state, "", done=False)  # type: ignore[assignment]
    relay.move()
    assert steps.index("append") < steps.index("remove")


def test_losses_are_recorded(state: State) -> None:
    state.outbox.settle(sending(state), "sent")
    state.client.hset(state.keys.clock(int(waiting(state)[0].outreach[:2])), "lost", 7)
    relay_of(state).move()
    assert texts(state, state.keys.feed)["lost"] == "7"


def test_old_entries_are_removed_after_the_retention(state: State) -> None:
    for age in range(400):
        state.client.xadd(state.keys.outcomes, {"id": "a", "outcome": "{}"}, id=f"{now_ms(state) - 9 * DAY_MS + age}-1")
    relay_of(state, retention="8d").move()
    assert feed_of(state).snapshot().length < 200


def test_erased_person_is_in_no_later_entry(state: State) -> None:
    state.outbox.end_unsent(taken(state), "suppressed", "opted_out")
    forget(state)
    relay_of(state).move()
    assert [(one["outcome"], one["session_id"]) for one in in_feed(state)] == [("suppressed", None)]


@pytest.mark.parametrize("problem", [StateError("down"), ValueError("names s-1")])
def test_failing_relay_is_logged_once_and_ends_no_task(
    state: State, problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    deps = deps_of(state)
    install(deps)
    monkeypatch.setattr(celery_tasks, "_last", {})

    def fails(_: Relay) -> int:
        raise problem

    def rounds(number: int) -> list[str]:
        with capture_logs() as logged:
            for _ in range(number):
                deps.sleep(10.0)
                celery_tasks._relay()
        return [entry["error"] for entry in logged if entry["event"] == "relay_failed"]

    state.outbox.settle(sending(state), "sent")
    with monkeypatch.context() as broken:
        broken.setattr(Relay, "move", fails)
        assert rounds(3) == ["down" if isinstance(problem, StateError) else "ValueError"]
    assert rounds(2) == []
    assert outcomes_in_feed(state) == [("contacted", None)]
