"""Collectors report how far they are, and silence is measured only up to there."""

import pytest

from state.collectors import (
    COLLECTOR_TTL_MS,
    HOLDS_MS,
    TIMES_BEHIND,
    UNSEEN_MS,
    CollectorMark,
    Collectors,
    Figures,
    held_until,
)
from state.event_streams import Streams
from tests.support.durations import MINUTE_MS
from tests.support.stored_state import now_ms
from worker.runtime import State

NOW = 10_000_000
AFTER = 15 * MINUTE_MS


def collectors(state: State) -> Collectors:
    return Collectors(state.scripts, state.keys)


def report(state: State, until_ms: int, collector: str = "a") -> int:
    return collectors(state).sign(collector, until_ms, Figures())


def seen(state: State, until_ms: int, seen_ms: int, collector: str = "a") -> None:
    state.scripts.client.hset(state.keys.collectors, collector, f"{until_ms} {seen_ms} 0 0 0 0")
    state.scripts.client.pexpire(state.keys.collectors, COLLECTOR_TTL_MS)


def mark(until_ms: int, seen_ms: int) -> CollectorMark:
    return CollectorMark("a", until_ms, seen_ms, Figures())


def test_report_has_the_times_and_the_figures(state: State) -> None:
    before_ms = now_ms(state)
    told_ms = collectors(state).sign("a", before_ms - 5, Figures(1, 2, 3, 4))
    (found,) = collectors(state).marks()
    assert before_ms <= told_ms <= now_ms(state)
    assert found == CollectorMark("a", before_ms - 5, told_ms, Figures(1, 2, 3, 4))


def test_report_from_the_future_counts_as_now(state: State) -> None:
    told_ms = report(state, now_ms(state) + 60_000)
    assert collectors(state).marks()[0].until_ms == told_ms


def test_report_of_zero_only_returns_the_time(state: State) -> None:
    assert report(state, 0) >= now_ms(state) - 1000
    assert collectors(state).marks() == ()


def test_collector_is_forgotten_after_a_week(state: State) -> None:
    now = now_ms(state)
    seen(state, now, now - COLLECTOR_TTL_MS - 1000, "old")
    seen(state, now, now - COLLECTOR_TTL_MS + MINUTE_MS, "recent")
    report(state, now, "new")
    assert {each.collector for each in collectors(state).marks()} == {"recent", "new"}


def test_reports_have_a_time_to_live(state: State) -> None:
    report(state, now_ms(state))
    assert 0 < state.scripts.client.pttl(state.keys.collectors) <= COLLECTOR_TTL_MS


def test_removed_collector_holds_nothing(state: State) -> None:
    report(state, now_ms(state) - 60_000)
    collectors(state).remove("a")
    found = state.streams.watermark()
    assert found.until_ms == found.now_ms


def test_silence_is_measured_up_to_the_earliest_report(state: State) -> None:
    now = now_ms(state)
    report(state, now - 60_000)
    report(state, now, "b")
    found = state.streams.watermark()
    assert found.until_ms == now - 60_000
    assert found.collector_behind == "a"


def test_collector_that_keeps_up_is_not_behind(state: State) -> None:
    report(state, now_ms(state) - HOLDS_MS // 2)
    assert state.streams.watermark().collector_behind == ""


@pytest.mark.parametrize(("late_ms", "holds"), [(HOLDS_MS, False), (HOLDS_MS + 1, True), (TIMES_BEHIND * AFTER, True)])
def test_collector_holds_contacts_while_it_is_late(late_ms: int, *, holds: bool) -> None:
    assert mark(NOW - late_ms, NOW).holds(NOW, AFTER) is holds


def test_collector_that_no_longer_counts_holds_no_contact() -> None:
    assert not mark(NOW - TIMES_BEHIND * AFTER - 1, NOW).holds(NOW, AFTER)


def test_unapplied_entry_counts_before_a_later_report(state: State) -> None:
    state.scripts.client.execute_command("XADD", state.keys.events, "5-0", "event", "{}")
    report(state, now_ms(state))
    assert state.streams.watermark().until_ms == 5


@pytest.mark.parametrize(
    ("until_ms", "seen_ms", "counts"),
    [
        (NOW - 2 * AFTER, NOW, True),
        (NOW - TIMES_BEHIND * AFTER, NOW, True),
        (NOW - TIMES_BEHIND * AFTER - 1, NOW, False),
        (NOW - 2 * AFTER, NOW - AFTER, True),
        (NOW - 2 * AFTER, NOW - AFTER - 1, False),
        (NOW, NOW - UNSEEN_MS - 1, True),
    ],
)
def test_collector_counts_for_a_bounded_time(until_ms: int, seen_ms: int, *, counts: bool) -> None:
    assert mark(until_ms, seen_ms).counts(NOW, AFTER) is counts
    assert held_until([mark(until_ms, seen_ms)], NOW, AFTER) == (until_ms if counts else NOW)


def test_missing_after_of_the_settings_bounds_the_hold(state: State) -> None:
    now = now_ms(state)
    seen(state, now - 90_000, now - 80_000)
    short = Streams(state.scripts, state.keys, missing_after_ms=60_000).watermark()
    assert short.until_ms == short.now_ms
    assert short.collector_behind == ""
    assert state.streams.watermark().until_ms == now - 90_000
