"""Dispatch while sending is paused or stopped."""

from collections.abc import Callable
from dataclasses import replace

import structlog

from state.session_record import STAMP_WIDTH
from tasks.delivery.attempt import attempt
from tests.support.attempts import comes_back, let_a_probe_be_due, yuno
from tests.support.control_support import held, sending
from tests.support.faulty_server import OK, http
from tests.support.limited import limited, round_of, somebody
from tests.support.stored_state import counters, now_ms, record, score_of
from tests.tasks.test_dispatch import abandoned
from worker.runtime import State


def test_pause_stops_dispatch_and_keeps_due_times(state: State) -> None:
    due = abandoned(state, 2)
    with yuno(state) as (deps, server):
        deps.control.pause("")
        assert round_of(deps) == []
        deps.control.resume()
        assert round_of(deps) == due
        assert attempt(due[0], deps).outcome == "sent"
        assert len(server.requests) == 1


def test_unfenced_attempt_in_flight_returns_to_its_due_time(state: State) -> None:
    due = [somebody(state, number) for number in range(3)]
    scores = [score_of(state, state.keys.due(int(outreach[:2])), outreach) for outreach in due]
    with yuno(state) as (deps, server):
        assert round_of(replace(deps, in_flight=2)) == due[:2]
        deps.control.pause("")
        for outreach in due[:2]:
            assert attempt(outreach, deps).reason == "sending_paused"
        assert server.requests == []
        assert [score_of(state, state.keys.due(int(o[:2])), o) for o in due] == scores
        assert record(state, due[0])["attempts"] == "0"
        deps.control.resume()
        assert round_of(replace(deps, in_flight=1)) == due[:1]


# Automatic stops


def test_refused_keys_stop_sending_until_a_probe_succeeds(state: State) -> None:
    due = [somebody(state, number) for number in range(5)]
    with yuno(state, http(401), http(403), OK) as (deps, server):
        assert round_of(deps) == due
        assert attempt(due[0], deps).status == "http_401"
        assert [attempt(outreach, deps).reason for outreach in due[1:]] == ["sending_stopped"] * 4
        assert round_of(deps) == []
        for number, outcome in enumerate(["waiting", "sent"], 2):
            let_a_probe_be_due(state)
            [probe] = round_of(deps)
            assert round_of(deps) == []
            assert attempt(probe, deps).outcome == outcome
            assert len(server.requests) == number
        left = round_of(deps)
        assert len(left) == 4
        assert [attempt(outreach, deps).outcome for outreach in left] == ["sent"] * 4
    assert counters(state) == {"sent": 5}


def test_suppressed_probe_lets_the_next_one_try(state: State) -> None:
    due = [somebody(state, number) for number in range(3)]
    with yuno(state, http(401), OK) as (deps, _):
        assert round_of(deps) == due
        assert [attempt(outreach, deps).outcome for outreach in due] == ["waiting", "postponed", "postponed"]
        comes_back(state, "s-0")
        state.client.hset(state.keys.session("s-1"), "cart", "0" * STAMP_WIDTH)
        let_a_probe_be_due(state)
        assert round_of(deps) == due[1:2]
        assert attempt(due[1], deps).reason == "cart_emptied"
        assert round_of(deps) == due[2:]
        assert attempt(due[2], deps).outcome == "sent"
    assert sending(state).sending_state == "on"


def test_repeated_failures_stop_sending_and_keep_their_backoff(state: State) -> None:
    due = [somebody(state, number) for number in range(4)]
    with yuno(state, http(500), http(503), OK, breaker_failures=2) as (deps, server):
        assert round_of(deps) == due
        assert [attempt(outreach, deps).outcome for outreach in due[:3]] == ["waiting", "waiting", "postponed"]
        assert sending(state).why == "http_503"
        let_a_probe_be_due(state)
        [probe] = round_of(deps)
        assert attempt(probe, deps).outcome == "sent"
        assert len(server.requests) == 3
    assert sending(state).sending_state == "on"


def test_retry_after_pauses_all_workers(state: State) -> None:
    due = [somebody(state, number) for number in range(2)]
    with yuno(state, http(429, retry_after="120")) as (deps, _):
        assert round_of(deps) == due
        assert [attempt(outreach, deps).outcome for outreach in due] == ["waiting", "postponed"]
    next_try = sending(state).next_try_ms
    assert next_try is not None
    assert 119_000 < next_try - now_ms(state) <= 120_000


def test_a_success_ends_a_row_of_failures(state: State) -> None:
    due = [somebody(state, number) for number in range(3)]
    with yuno(state, http(500), OK, http(500), breaker_failures=2) as (deps, _):
        assert round_of(deps) == due
        assert [attempt(outreach, deps).outcome for outreach in due] == ["waiting", "sent", "waiting"]
    assert (sending(state).sending_state, sending(state).failures) == ("on", 1)


def test_a_refused_request_is_no_failure_of_the_api(state: State) -> None:
    due = [somebody(state, number) for number in range(3)]
    with yuno(state, http(400), breaker_failures=1) as (deps, _):
        assert round_of(deps) == due
        assert [attempt(outreach, deps).outcome for outreach in due] == ["dead"] * 3
    assert sending(state).sending_state == "on"


# The log


def test_each_change_is_one_line_in_the_log(state: State) -> None:
    with yuno(state) as (deps, _), structlog.testing.capture_logs() as lines:
        other = limited(state, deps)
        changes: list[Callable[[], object]] = [
            lambda: deps.control.pause("Jane said so"),
            deps.control.resume,
            lambda: deps.control.report_outcome(held(), "refused", "http_401"),
        ]
        for change in changes:
            change()
            for by in (deps, other, deps):
                round_of(by)
    assert [line["event"] for line in lines] == ["sending_paused", "sending_resumed", "sending_stopped"]
    assert lines[2]["reason"] == "http_401"
    assert "Jane" not in str(lines)
