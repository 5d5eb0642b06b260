"""The sender: every outcome reaches the receiver, at least once and in order, whatever stops in between."""

from datetime import timedelta
from threading import Event

import pytest

from state.errors import ServerUnavailableError, StateError
from state.webhooks import Webhooks
from tests.support.feed import feed_of
from tests.support.stored_state import texts
from tests.support.webhooks import DOWN, OK, Receiver, Time, fill_feed, run, sender_of
from worker.runtime import State
from worker.webhooks.client import Answer

pytestmark = pytest.mark.xdist_group("valkey")

A, B = "07-aaaaaaaaaaaaaaaa", "08-bbbbbbbbbbbbbbbb"
A1, A2, B1 = f"{A}.contacted.1", f"{A}.recovered.2", f"{B}.suppressed.3"
HOUR_S = 3600.0


def unacknowledged(state: State) -> int:
    (group,) = state.client.xinfo_groups(state.keys.outcomes)
    return int(group["pending"])


def reported(state: State) -> dict[str, str]:
    return texts(state, state.keys.webhooks)


def test_outcomes_are_posted_once_in_order(real_state: State) -> None:
    fill_feed(real_state, A1, A2, B1)
    receiver, time = Receiver(), Time(real_state)
    run(sender_of(real_state, receiver, time), time, 3)
    assert sorted(receiver.seen) == sorted([A1, A2, B1])
    assert receiver.seen.index(A1) < receiver.seen.index(A2)
    assert unacknowledged(real_state) == 0
    assert (reported(real_state)["sent"], reported(real_state)["waiting"]) == ("3", "0")


def test_other_types_are_not_posted(real_state: State) -> None:
    fill_feed(real_state, A1, A2, B1)
    receiver, time = Receiver(), Time(real_state)
    run(sender_of(real_state, receiver, time, types="contacted,suppressed"), time, 3)
    assert receiver.seen == [A1, B1]
    assert unacknowledged(real_state) == 0


def test_receiver_that_is_down_for_an_hour_gets_all_in_order(real_state: State) -> None:
    fill_feed(real_state, A1, B1)
    receiver, time = Receiver(lambda _: DOWN), Time(real_state)
    sender = sender_of(real_state, receiver, time)
    run(sender, time, HOUR_S, every=10)
    attempts = len(receiver.seen)
    assert 10 < attempts < 100
    assert (reported(real_state)["why"], reported(real_state)["waiting"]) == ("connect_error", "2")
    fill_feed(real_state, A2)
    receiver.answer = lambda _: OK
    run(sender, time, HOUR_S, every=10)
    assert sorted(receiver.accepted) == sorted([A1, A2, B1])
    assert receiver.accepted.index(A1) < receiver.accepted.index(A2)
    assert "why" not in reported(real_state)
    assert unacknowledged(real_state) == 0


def test_outcome_that_is_never_accepted_holds_up_no_other_outreach(real_state: State) -> None:
    fill_feed(real_state, A1, A2)
    receiver = Receiver(lambda identifier: Answer("http_500") if identifier == A1 else OK)
    time = Time(real_state)
    sender = sender_of(real_state, receiver, time)
    run(sender, time, 600, every=5)
    for number in range(200):
        fill_feed(real_state, f"09-{number:016x}.contacted.1")
        run(sender, time, 10, every=5)
    run(sender, time, HOUR_S, every=10)
    assert len(receiver.accepted) == 200
    assert A2 not in receiver.seen
    assert unacknowledged(real_state) == 2


def test_outcome_that_is_never_accepted_is_dropped_in_the_end(real_state: State) -> None:
    fill_feed(real_state, A1, A2)
    receiver = Receiver(lambda identifier: Answer("http_500") if identifier == A1 else OK)
    time = Time(real_state)
    run(sender_of(real_state, receiver, time, webhook_max_age="1h"), time, 2 * HOUR_S, every=10)
    assert reported(real_state)["dropped"] == "2"
    assert "dropped_at" in reported(real_state)
    assert unacknowledged(real_state) == 0


def test_too_many_requests_pause_all_for_as_long_as_asked(real_state: State) -> None:
    fill_feed(real_state, A1, B1)
    receiver = Receiver(lambda _: Answer("http_429", retry_after=timedelta(minutes=10)))
    time = Time(real_state)
    sender = sender_of(real_state, receiver, time)
    sender.step()
    sender.step()
    seen = len(receiver.seen)
    run(sender, time, 590, every=10)
    assert len(receiver.seen) == seen
    receiver.answer = lambda _: OK
    run(sender, time, 60, every=10)
    assert sorted(receiver.accepted) == sorted([A1, B1])


def test_gone_stops_all_requests_until_an_operator_resumes(real_state: State) -> None:
    fill_feed(real_state, A1, B1)
    receiver, time = Receiver(lambda _: Answer("http_410", gone=True)), Time(real_state)
    sender = sender_of(real_state, receiver, time)
    run(sender, time, 5)
    seen = len(receiver.seen)
    assert sender.is_refused
    assert "gone" in reported(real_state)
    run(sender, time, HOUR_S, every=10)
    run(sender_of(real_state, receiver, Time(real_state)), time, 5)
    assert len(receiver.seen) == seen
    receiver.answer = lambda _: OK
    real_state.client.hdel(real_state.keys.webhooks, "gone")
    run(sender, time, 600, every=10)
    assert sorted(receiver.accepted) == sorted([A1, B1])


def test_restarted_sender_does_not_forget_that_it_was_refused(real_state: State) -> None:
    fill_feed(real_state, A1)
    receiver, time = Receiver(lambda _: Answer("http_410", gone=True)), Time(real_state)
    run(sender_of(real_state, receiver, time), time, 5)
    real_state.client.delete(real_state.keys.webhook_turn)
    receiver.seen.clear()
    run(sender_of(real_state, receiver, time), time, 60)
    assert receiver.seen == []


@pytest.mark.parametrize("step", ["read", "read_again", "acknowledge", "report", "take_turn"])
def test_redis_that_fails_at_a_step_loses_nothing(
    real_state: State, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_feed(real_state, A1, A2, B1)
    receiver, time = Receiver(), Time(real_state)
    sender = sender_of(real_state, receiver, time)

    def fails(*_: object) -> None:
        raise ServerUnavailableError("down")

    with monkeypatch.context() as patched:
        patched.setattr(Webhooks, step, fails)
        for _ in range(5):
            with pytest.raises(StateError):
                run(sender, time, 3)
    run(sender, time, 20)
    assert set(receiver.accepted) == {A1, A2, B1}
    assert unacknowledged(real_state) == 0


def test_killed_sender_leaves_its_entries_to_the_next(real_state: State) -> None:
    fill_feed(real_state, A1, A2, B1)
    receiver, time = Receiver(lambda identifier: OK if identifier == A1 else DOWN), Time(real_state)
    sender_of(real_state, receiver, time).step()  # posted, not acknowledged, and killed
    real_state.client.delete(real_state.keys.webhook_turn)  # its turn is over
    receiver.answer = lambda _: OK
    run(sender_of(real_state, receiver, time), time, 5)
    assert set(receiver.accepted) == {A1, A2, B1}
    order = [one for one in dict.fromkeys(receiver.accepted) if one.startswith(A)]
    assert order == [A1, A2]


def test_second_sender_waits_for_its_turn(real_state: State) -> None:
    fill_feed(real_state, A1)
    first, second, time = Receiver(), Receiver(), Time(real_state)
    waits = sender_of(real_state, second, time)
    run(sender_of(real_state, first, time), time, 2)
    run(waits, time, 2)
    assert (first.seen, second.seen, waits.has_turn) == ([A1], [], False)


def test_entries_removed_before_they_were_sent_are_reported(real_state: State) -> None:
    fill_feed(real_state, A1)
    receiver, time = Receiver(lambda _: DOWN), Time(real_state)
    run(sender_of(real_state, receiver, time), time, 2)
    feed_of(real_state).erase([one.entry for one in feed_of(real_state).stored() if one.entry])
    real_state.client.pexpire(real_state.keys.feed, 60_000)
    real_state.client.delete(real_state.keys.webhook_turn)
    run(sender_of(real_state, receiver, time), time, 5)
    assert reported(real_state)["dropped"] == "1"
    assert unacknowledged(real_state) == 0


def test_stopped_sender_records_its_results(real_state: State) -> None:
    fill_feed(real_state, A1)
    receiver, time = Receiver(), Time(real_state)
    sender = sender_of(real_state, receiver, time)
    sender.step()
    sender.stop()
    assert unacknowledged(real_state) == 0
    assert (reported(real_state)["sent"], reported(real_state)["stopped"]) == ("1", "1")


class Stopped(Event):
    """An event that is set after a while, on a clock that waiting moves."""

    def __init__(self, time: Time, after_s: float) -> None:
        super().__init__()
        self._time, self._after_s = time, after_s
        self.waits = 0

    def is_set(self) -> bool:
        return self._time.elapsed >= self._after_s

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        self._time.elapsed += timeout or 0.0
        return self.is_set()


@pytest.mark.parametrize("answer", [OK, DOWN, Answer("http_410", gone=True)])
def test_idle_or_failing_sender_hardly_uses_the_processor(real_state: State, answer: Answer) -> None:
    fill_feed(real_state, A1, B1)
    receiver, time = Receiver(lambda _: answer), Time(real_state)
    stopped = Stopped(time, 60)
    sender_of(real_state, receiver, time).run(stopped)
    assert 60 <= stopped.waits <= 300
    assert 1 <= len(receiver.seen) <= 30


def test_waiting_sender_polls_for_its_turn(real_state: State) -> None:
    time = Time(real_state)
    Webhooks(real_state.scripts, real_state.keys).take_turn("another", 15_000)
    stopped = Stopped(time, 10)
    sender_of(real_state, Receiver(), time).run(stopped)
    assert 10 <= stopped.waits <= 30
