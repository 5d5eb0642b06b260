"""Failures in a row stop all sending, and a server that asks for time gets it."""

import pytest

from tests.support.control_support import control, granted, held, passes, sending
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.stopping import fail, next_try_in_ms, probe, refuse, work
from worker.runtime import State


def test_repeated_failures_stop_all_sending(state: State) -> None:
    one, other = control(state), control(state)
    fail(one, 1)
    fail(other, 2)
    assert granted(one, 5) == 5
    assert sending(state).failures == 2
    fail(one, 3, why="read_timeout")
    assert granted(other) == 0
    assert (sending(state).sending_state, sending(state).why) == ("failing", "read_timeout")


def test_success_resets_the_failure_count(state: State) -> None:
    by = control(state)
    fail(by, 1, 2)
    assert passes(by, 3).watched
    work(by, 3)
    assert not passes(by, 3).watched
    fail(by, 4, 5)
    assert granted(by, 5) == 5
    fail(by, 6)
    assert granted(by, 5) == 0


def test_a_breaker_that_is_off_does_not_stop_anything(state: State) -> None:
    by = control(state, failures=0)
    fail(by, *range(50), pause_ms=HOUR_MS)
    assert granted(by, 5) == 5
    assert sending(state).failures == 0


def test_pause_grows_with_each_failed_probe_up_to_a_bound(state: State) -> None:
    by = control(state, failures=1)
    fail(by, 0)
    waits = [round(next_try_in_ms(state) / MINUTE_MS)]
    for number in range(1, 7):
        probe(state, by, number)
        fail(by, number)
        waits.append(round(next_try_in_ms(state) / MINUTE_MS))
    assert waits == [1, 2, 4, 8, 16, 16, 16]
    probe(state, by, 9)
    work(by, 9)
    fail(by, 10)
    assert round(next_try_in_ms(state) / MINUTE_MS) == 1


def test_fixed_keys_with_a_failing_api_are_probed_like_failures(state: State) -> None:
    by = control(state)
    refuse(by)
    since = sending(state).since_ms
    for number, (why, minutes) in enumerate([("http_401", 1), ("http_503", 1), ("http_503", 2), ("http_401", 1)], 1):
        probe(state, by, number)
        by.report_outcome(held(number), "refused" if why == "http_401" else "failing", why)
        assert round(next_try_in_ms(state) / MINUTE_MS) == minutes
        assert sending(state).why == why
    assert since is not None


@pytest.mark.parametrize(
    ("asked_ms", "stops_for_ms"),
    [(6 * SECOND_MS, 6 * SECOND_MS), (5 * MINUTE_MS, 5 * MINUTE_MS), (HOUR_MS, 16 * MINUTE_MS)],
)
def test_retry_after_pauses_all_workers_within_bounds(state: State, asked_ms: int, stops_for_ms: int) -> None:
    by = control(state)
    fail(by, 1, why="http_429", pause_ms=asked_ms)
    assert granted(by) == 0
    assert stops_for_ms - SECOND_MS < next_try_in_ms(state) <= stops_for_ms


@pytest.mark.parametrize(("asked_s", "waits_s"), [(6, [6, 12, 24]), (90, [90, 120, 240]), (300, [300, 300, 300])])
def test_server_that_asks_again_for_its_probe_gets_more_time(state: State, asked_s: int, waits_s: list[int]) -> None:
    by, waits = control(state), []
    for number in range(3):
        if number:
            probe(state, by, number)
        fail(by, number, why="http_429", pause_ms=asked_s * SECOND_MS)
        waits.append(round(next_try_in_ms(state) / SECOND_MS))
    assert waits == waits_s


def test_failure_without_a_wish_keeps_the_usual_pause(state: State) -> None:
    by = control(state)
    fail(by, 1, why="http_429", pause_ms=6 * SECOND_MS)
    probe(state, by, 2)
    fail(by, 2)
    assert round(next_try_in_ms(state) / MINUTE_MS) == 2
