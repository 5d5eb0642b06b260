"""The sweep records the thresholds that it applies, and logs a change."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from detectors.settings import DetectionSettings, StageThresholds
from detectors.written_settings import written
from state import applied_thresholds
from state.applied_thresholds import AppliedThresholds
from state.errors import ServerUnavailableError
from tasks.sweep import sweep
from tests.support.attempts import deps_of
from tests.support.stored_state import now_ms
from worker.monitoring.threshold_recorder import EVERY_S, ThresholdRecorder
from worker.runtime import State

LATER = DetectionSettings(idle=StageThresholds(checkout=timedelta(minutes=20)))


class Recorder(ThresholdRecorder):
    """Return a recorder whose clock only moves when the test moves it."""

    def __init__(self, state: State, sources: Mapping[str, str] | None = None) -> None:
        self.at = 0.0
        super().__init__(state.scripts, state.keys, lambda: sources or {}, clock=lambda: self.at)


def recorded(state: State) -> AppliedThresholds:
    found = applied_thresholds.read(state.scripts, state.keys, now_ms(state))
    assert found is not None
    return found


def set_back(state: State, **fields: int) -> None:
    """Let the record be from an earlier time."""
    state.client.hset(state.keys.thresholds, mapping=fields)  # type: ignore[arg-type]


def test_a_sweep_records_the_thresholds_it_applies(state: State) -> None:
    sources = {"detection.idle.checkout": "WINBACK_DETECTION__IDLE__CHECKOUT", "delivery.rate": "winback.toml"}
    sweep(replace(deps_of(state), detection=lambda: LATER, record_thresholds=Recorder(state, sources)))
    found = recorded(state)

    assert found.settings == written(LATER)
    assert found.sources == {"detection.idle.checkout": "WINBACK_DETECTION__IDLE__CHECKOUT"}
    assert found.process
    assert 0 <= now_ms(state) - found.since_ms < 5_000


def test_without_a_sweep_no_thresholds_are_known(state: State) -> None:
    assert applied_thresholds.read(state.scripts, state.keys, now_ms(state)) is None


def test_unchanged_settings_are_recorded_once_a_minute(state: State) -> None:
    record = Recorder(state)
    record(LATER)
    set_back(state, at=1)
    record.at = EVERY_S - 1
    record(LATER)
    assert recorded(state).at_ms == 1

    record.at = EVERY_S
    record(LATER)
    assert recorded(state).at_ms > 1


def test_unchanged_settings_keep_their_since_time(state: State) -> None:
    Recorder(state)(LATER)
    set_back(state, since=1, at=1)
    Recorder(state)(LATER)

    assert recorded(state).since_ms == 1
    assert recorded(state).at_ms > 1


def test_a_changed_threshold_is_logged_with_both_values(state: State) -> None:
    record = Recorder(state)
    with capture_logs() as logs:
        record(DetectionSettings())
        record(LATER)
        record(LATER)

    assert logs == [
        {
            "event": "threshold_changed",
            "log_level": "info",
            "setting": "detection.idle.checkout",
            "old": "15m",
            "new": "20m",
        }
    ]


def test_a_change_across_a_restart_is_logged(state: State) -> None:
    Recorder(state)(LATER)
    with capture_logs() as logs:
        Recorder(state)(DetectionSettings())

    assert [(line["setting"], line["old"], line["new"]) for line in logs] == [("detection.idle.checkout", "20m", "15m")]


def test_a_server_error_delays_the_record_to_the_next_sweep(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Recorder(state)
    with monkeypatch.context() as patched:
        patched.setattr(state.scripts, "run", Mock(side_effect=ServerUnavailableError("away")))
        record(LATER)
    record(LATER)

    assert recorded(state).settings == written(LATER)


def test_a_record_that_cannot_be_read_counts_as_none(state: State) -> None:
    Recorder(state)(LATER)
    state.client.hset(state.keys.thresholds, "settings", "not JSON")

    assert applied_thresholds.read(state.scripts, state.keys, now_ms(state)) is None


def test_a_record_of_the_future_is_read_as_now(state: State) -> None:
    Recorder(state)(LATER)
    at = now_ms(state)
    set_back(state, since=at + 10**9, at=at + 10**9)

    assert recorded(state).since_ms <= now_ms(state)
