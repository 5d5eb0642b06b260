"""The sweep records the shop's zone with its offset at the moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from state import day_zone
from state.day_zone import UTC_DAYS, DayZone
from state.errors import ServerUnavailableError
from tasks.sweep import sweep
from tests.support.attempts import deps_of
from tests.support.durations import HOUR_MS
from worker.monitoring.day_zone_recorder import EVERY_S, DayZoneRecorder
from worker.runtime import State

CHANGE = datetime(2026, 3, 8, 7, tzinfo=UTC)
"""When the clocks of New York go from 2:00 to 3:00."""


class Recorder(DayZoneRecorder):
    """One whose clocks stop until they are moved."""

    def __init__(self, state: State, zone: str = "America/New_York") -> None:
        self.at, self.date = 0.0, CHANGE - timedelta(seconds=1)
        super().__init__(state.scripts, state.keys, zone, now=lambda: self.date, clock=lambda: self.at)


def recorded(state: State) -> DayZone:
    return day_zone.read(state.scripts, state.keys)


def test_a_sweep_records_the_zone(state: State) -> None:
    sweep(replace(deps_of(state), record_day_zone=Recorder(state, "Asia/Kolkata")))
    assert recorded(state) == DayZone("Asia/Kolkata", 11 * HOUR_MS // 2)


def test_summer_time_is_recorded_when_it_begins(state: State) -> None:
    record = Recorder(state)
    record()
    assert recorded(state) == DayZone("America/New_York", -5 * HOUR_MS)

    record.date = CHANGE
    record()
    assert recorded(state) == DayZone("America/New_York", -4 * HOUR_MS)


def test_unchanged_zone_is_recorded_once_a_minute(state: State) -> None:
    record = Recorder(state)
    record()
    day_zone.record(state.scripts, state.keys, UTC_DAYS)
    record.at = EVERY_S - 1
    record()
    assert recorded(state) == UTC_DAYS

    record.at = EVERY_S
    record()
    assert recorded(state).name == "America/New_York"


def test_zone_that_is_no_longer_set_is_removed(state: State) -> None:
    Recorder(state)()
    Recorder(state, "UTC")()
    assert recorded(state) == UTC_DAYS


def test_server_error_delays_the_zone_to_the_next_sweep(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Recorder(state)
    with monkeypatch.context() as patched:
        patched.setattr(day_zone, "record", Mock(side_effect=ServerUnavailableError("away")))
        record()
    assert recorded(state) == UTC_DAYS

    record()
    assert recorded(state).name == "America/New_York"
