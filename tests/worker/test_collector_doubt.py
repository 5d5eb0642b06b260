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


def test_more_quarantined_records_hold_longer() -> None:
    doubt = Doubt(LASTS_MS)
    doubt.limited(NOW_MS, NOW_MS, 70)
    again_ms = NOW_MS + LASTS_MS - 1
    assert doubt.limited(again_ms, again_ms, 140) == NOW_MS
    assert doubt.limited(NOW_MS + LASTS_MS, NOW_MS + LASTS_MS, 140) == NOW_MS


def test_undelivered_events_hold_in_addition() -> None:
    doubt = Doubt(LASTS_MS)
    assert doubt.limited(NOW_MS - 9_000, NOW_MS, 70) == NOW_MS - 9_000
