"""The sweep records how silences are counted."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock

import pytest

from detectors.settings import DetectionSettings
from state import silence_counters
from state.errors import ServerUnavailableError
from tasks.policy.settings import ContactSettings
from tasks.sweep import sweep
from tests.support.attempts import deps_of
from tests.support.stored_state import texts
from worker.monitoring.silence_recorder import EVERY_S, SilenceRecorder
from worker.runtime import State
from worker.settings.tuning import TuningSettings

USUAL = "idle,exit 111000000000 3600000 86400000"
DETECTION = DetectionSettings()


class Recorder(SilenceRecorder):
    """One whose clock stops until it is moved."""

    def __init__(self, state: State, tuning: TuningSettings | None = None) -> None:
        self.at = 0.0
        super().__init__(
            state.scripts, state.keys, tuning or TuningSettings(), ContactSettings(), clock=lambda: self.at
        )


def recorded(state: State) -> set[str | None]:
    return {texts(state, state.keys.clock(number)).get("tuning") for number in (0, 63)}


def test_a_sweep_records_the_method(state: State) -> None:
    sweep(replace(deps_of(state), record_silences=Recorder(state)))
    assert recorded(state) == {USUAL}


def test_with_exit_on_only_idle_silences_are_counted(state: State) -> None:
    record = Recorder(state)
    record(DETECTION)
    record(DETECTION.model_copy(update={"exit": timedelta(minutes=2)}))
    assert recorded(state) == {USUAL.replace("idle,exit", "idle")}


def test_counting_that_is_turned_off_leaves_no_record(state: State) -> None:
    Recorder(state)(DETECTION)
    Recorder(state, TuningSettings(collect=False))(DETECTION)
    assert recorded(state) == {None}


def test_unchanged_method_is_recorded_once_a_minute(state: State) -> None:
    record = Recorder(state)
    record(DETECTION)
    silence_counters.record(state.scripts, state.keys, None)
    record.at = EVERY_S - 1
    record(DETECTION)
    assert recorded(state) == {None}
    record.at = EVERY_S
    record(DETECTION)
    assert recorded(state) == {USUAL}


def test_server_error_delays_the_method_to_the_next_sweep(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Recorder(state)
    with monkeypatch.context() as patched:
        patched.setattr(silence_counters, "record", Mock(side_effect=ServerUnavailableError("away")))
        record(DETECTION)
    assert recorded(state) == {None}
    record(DETECTION)
    assert recorded(state) == {USUAL}
