"""Quarantined records hold contacts, but not indefinitely."""

import pytest

from worker.collector.doubt import Doubt

NOW_MS = 1_796_000_000_000
LASTS_MS = 900_000


def test_without_quarantined_records_nothing_is_held() -> None:
    doubt = Doubt(LASTS_MS)
    assert doubt.limited(NOW_MS, NOW_MS, 0) == NOW_MS
    assert not doubt.is_open


@pytest.mark.parametrize(("before_ms", "held_ms"), [(5_000, 5_000), (3 * LASTS_MS, LASTS_MS)])
def test_quarantined_record_stops_silence_where_it_was(before_ms: int, held_ms: int) -> None:
    doubt = Doubt(LASTS_MS)
    doubt.limited(NOW_MS - before_ms, NOW_MS - before_ms, 0)
    for later_ms in (0, 1_000, LASTS_MS - 1):
        assert doubt.limited(NOW_MS + later_ms, NOW_MS + later_ms, 70) == NOW_MS - held_ms
        assert doubt.is_open
    after_ms = NOW_MS + LASTS_MS
    assert doubt.limited(after_ms, after_ms, 70) == after_ms
    assert not doubt.is_open


def test_record_quarantined_at_the_start_holds_from_then_on() -> None:
    doubt = Doubt(LASTS_MS)
    assert doubt.limited(NOW_MS, NOW_MS, 70) == NOW_MS
    assert doubt.limited(NOW_MS + 60_000, NOW_MS + 60_000, 70) == NOW_MS


@pytest.mark.parametrize(("age_ms", "held_ms"), [(60_000, LASTS_MS - 60_000), (LASTS_MS, 0), (None, 0)])
def test_restart_holds_for_the_rest_of_the_time(age_ms: int | None, held_ms: int) -> None:
    doubt = Doubt(LASTS_MS, 70, lambda: age_ms)
    for later_ms in range(0, held_ms, 60_000):
        assert doubt.limited(NOW_MS + later_ms, NOW_MS + later_ms, 70) == NOW_MS - (age_ms or 0)
        assert doubt.is_open
    after_ms = NOW_MS + held_ms
    assert doubt.limited(after_ms, after_ms, 70) == after_ms
    assert not doubt.is_open


def test_record_quarantined_during_the_restart_holds_from_the_start() -> None:
    doubt = Doubt(LASTS_MS, 70, lambda: 60_000)
    assert doubt.limited(NOW_MS, NOW_MS, 140) == NOW_MS - 60_000
    later_ms = NOW_MS + LASTS_MS - 1
    assert doubt.limited(later_ms, later_ms, 140) == NOW_MS - 60_000


def test_more_quarantined_records_hold_longer() -> None:
    doubt = Doubt(LASTS_MS)
    doubt.limited(NOW_MS, NOW_MS, 70)
    again_ms = NOW_MS + LASTS_MS - 1
    assert doubt.limited(again_ms, again_ms, 140) == NOW_MS
    assert doubt.limited(NOW_MS + LASTS_MS, NOW_MS + LASTS_MS, 140) == NOW_MS


def test_undelivered_events_hold_in_addition() -> None:
    doubt = Doubt(LASTS_MS)
    assert doubt.limited(NOW_MS - 9_000, NOW_MS, 70) == NOW_MS - 9_000
