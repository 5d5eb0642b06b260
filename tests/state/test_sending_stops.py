"""Stops of all sending: an operator, refused keys, failures in a row; and how sending resumes."""

import pytest

from state.script import NamedCall
from state.sending_control import CHECK_INTERVAL_S
from tests.support.control_support import ATTEMPT_MS, control, granted, held, let_pass, passes, sending
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.stopping import fail, next_try_in_ms, probe, refuse, work
from tests.support.stored_state import now_ms
from worker.runtime import State

# By an operator


def test_pause_blocks_dispatch_and_the_gate(state: State) -> None:
    by = control(state)
    assert not by.pause("the line is down").was_paused
    assert granted(by) == 0
    assert by.gate(held()) == "paused"
    assert (sending(state).sending_state, sending(state).reason) == ("paused", "the line is down")
    let_pass(state, 365 * 24 * HOUR_MS)
    assert granted(by) == 0
    assert by.resume().was_paused
    assert granted(by, 5) == 5
    passes(by)


def test_a_pause_with_a_duration_ends_by_itself(state: State) -> None:
    by = control(state)
    assert abs(by.pause("", for_ms=HOUR_MS).until_ms - HOUR_MS - now_ms(state)) < MINUTE_MS
    let_pass(state, HOUR_MS - MINUTE_MS)
    assert granted(by) == 0
    assert by.gate(held()) == "paused"
    let_pass(state, MINUTE_MS)
    assert granted(by, 5) == 5
    passes(by)
    assert sending(state).sending_state == "on"
    assert not by.resume().was_paused


def test_a_later_pause_replaces_the_earlier_one(state: State) -> None:
    by = control(state)
    by.pause("short", for_ms=SECOND_MS)
    assert by.pause("long").was_paused
    let_pass(state, HOUR_MS)
    assert granted(by) == 0
    assert (sending(state).reason, sending(state).until_ms) == ("long", None)


def test_each_change_is_news_once_for_all_dispatchers(state: State) -> None:
    one, other = control(state), control(state)
    assert not one.permits(0, in_flight=0).changed
    one.pause("")
    found = [by.permits(1, in_flight=0) for by in (one, other, one)]
    assert [(permits.sending_state, permits.changed) for permits in found] == [
        ("paused", True),
        *[("paused", False)] * 2,
    ]
    one.resume()
    found = [by.permits(0, in_flight=0) for by in (other, one)]
    assert [(permits.sending_state, permits.changed) for permits in found] == [("on", True), ("on", False)]
    refuse(one)
    assert one.permits(1, in_flight=0).sending_state == "refused"


# Refused keys


def test_refused_keys_stop_all_sending_at_once(state: State) -> None:
    by = control(state)
    passes(by, 1)
    refuse(by, 1)
    assert granted(control(state)) == 0
    assert control(state).gate(held(2)) == "stopped"
    assert (sending(state).sending_state, sending(state).why) == ("refused", "http_401")
    assert next_try_in_ms(state) <= MINUTE_MS


def test_refused_keys_stop_it_also_without_a_breaker(state: State) -> None:
    by = control(state, failures=0)
    refuse(by)
    assert granted(by) == 0


def test_one_is_tried_each_minute_until_the_keys_work(state: State) -> None:
    by = control(state)
    refuse(by, 1)
    for number in range(2, 7):
        let_pass(state, MINUTE_MS - SECOND_MS)
        assert granted(by) == 0
        let_pass(state, SECOND_MS)
        assert [granted(by), granted(control(state))] == [1, 0]
        assert sending(state).probing
        assert passes(by, number).watched
        assert by.gate(held(100)) == "stopped"
        refuse(by, number)
        assert MINUTE_MS - SECOND_MS < next_try_in_ms(state) <= MINUTE_MS
    probe(state, by, 7)
    work(by, 7)
    assert granted(by, 50) == 50
    assert not passes(by, 8).watched
    assert sending(state).sending_state == "on"


def test_when_nothing_is_due_no_probe_is_used_up(state: State) -> None:
    by = control(state)
    refuse(by)
    let_pass(state, MINUTE_MS)
    assert granted(by, 0) == 0
    assert granted(by, 1) == 1


def test_a_probe_needs_a_permit_like_any_other(state: State) -> None:
    by = control(state, rate_us=3_600_000_000, burst=1)
    assert granted(by) == 1
    refuse(by)
    let_pass(state, MINUTE_MS)
    assert granted(by) == 0
    by.not_leased(1)
    assert granted(by) == 1


# A probe without a result


@pytest.mark.parametrize("passed_the_gate", [False, True])
def test_a_probe_that_is_lost_is_followed_by_another(state: State, *, passed_the_gate: bool) -> None:
    by = control(state)
    refuse(by)
    let_pass(state, MINUTE_MS)
    assert granted(by) == 1
    if passed_the_gate:
        let_pass(state, ATTEMPT_MS - SECOND_MS)
        passes(by, 1)
    let_pass(state, ATTEMPT_MS - SECOND_MS)
    assert granted(by) == 0
    let_pass(state, SECOND_MS)
    assert granted(by) == 1


def test_what_comes_late_from_a_lost_probe_changes_nothing(state: State) -> None:
    by = control(state)
    refuse(by)
    probe(state, by, 1)
    probe(state, by, 2)
    before = sending(state)
    work(by, 1)
    fail(by, 1)
    assert sending(state) == before
    work(by, 2)
    assert sending(state).sending_state == "on"


def test_unsent_probe_lets_another_start_at_once(state: State) -> None:
    by = control(state)
    refuse(by)
    let_pass(state, MINUTE_MS)
    assert granted(by) == 1
    by.return_permits(held(1), requests=1)
    assert granted(by) == 1
    passes(by, 2)
    assert granted(by) == 0
    by.return_permits(held(2), requests=1)
    assert granted(by) == 1


def test_probe_in_flight_is_ended_only_by_its_own_outreach(state: State) -> None:
    by = control(state)
    refuse(by)
    probe(state, by, 1)
    by.return_permits(held(2), requests=1)
    by.not_leased(1)
    by.resume()
    assert granted(by) == 0
    assert by.gate(held(2)) == "stopped"


def test_permits_that_come_back_bring_no_probe_forward(state: State) -> None:
    by = control(state)
    refuse(by)
    by.not_leased(1)
    by.return_permits(held(2), requests=1)
    assert granted(by) == 0


def test_attempt_from_before_the_stop_does_not_resume_sending(state: State) -> None:
    by = control(state)
    refuse(by, 1)
    before = sending(state)
    work(by, 2)
    assert sending(state) == before
    refuse(by, 3)
    assert sending(state) == before


def test_to_resume_is_to_try_at_once_what_has_stopped_by_itself(state: State) -> None:
    by = control(state)
    refuse(by)
    by.pause("")
    assert by.permits(5, in_flight=0).sending_state == "paused"
    let_pass(state, 5 * SECOND_MS)
    assert by.resume().why == "http_401"
    assert granted(by, 5) == 1


# The cost of a success


def test_success_is_checked_only_periodically_while_healthy(state: State, calls: list[str]) -> None:
    by = control(state)
    passed = passes(by)
    for moment in (0.0, 0.1, 0.2, CHECK_INTERVAL_S, 2 * CHECK_INTERVAL_S - 0.01):
        by.report_success(held(), passed, now_s=moment)
    assert calls == ["sending_gate", "report_outcome", "report_outcome"]


def test_after_a_failure_each_success_is_recorded(state: State, calls: list[str]) -> None:
    by = control(state)
    by.report_success(held(), passes(by), now_s=0.0)
    fail(by, 1)
    by.report_success(held(2), passes(by, 2), now_s=0.0)
    assert calls == ["sending_gate", "report_outcome", "report_outcome", "sending_gate", "report_outcome"]
    assert sending(state).failures == 0


@pytest.fixture
def calls(state: State, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the called scripts."""
    found, really = list[str](), state.scripts.run

    def run(call: NamedCall) -> object:
        found.append(call.name)
        return really(call)

    monkeypatch.setattr(state.scripts, "run", run)
    return found
