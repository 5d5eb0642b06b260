"""Contradictory settings are refused in a line that names both."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from detectors.settings import DetectionSettings
from tests.worker.test_settings_reload import edit
from worker.errors import StartError
from worker.settings import load
from worker.settings.reload import DetectionReader


def refused(**detection: object) -> str:
    with pytest.raises(ValidationError) as stopped:
        DetectionSettings.model_validate(detection)
    (problem,) = stopped.value.errors()
    return f"{problem['loc'][-1]} {problem['msg'].removeprefix('Value error, ')}"


@pytest.mark.parametrize(
    ("thresholds", "name"),
    [
        ({"idle": {"payment": "4m"}}, "idle.payment (4m)"),
        ({"idle_by_platform": {"ios": {"checkout": "2m"}}}, "idle_by_platform.ios.checkout (2m)"),
        ({"exit": "1m"}, "exit (1m)"),
        ({"declined": "1m"}, "declined (1m)"),
        ({"pending": "4m"}, "pending (4m)"),
    ],
)
def test_interval_longer_than_a_threshold_is_refused(thresholds: dict[str, object], name: str) -> None:
    assert refused(sweep_interval="5m", **thresholds).startswith(
        f"sweep_interval must not be longer than detection.{name}, or a session would wait for the sweep"
    )


def test_default_interval_fits_the_thresholds_of_a_trial() -> None:
    assert DetectionSettings.model_validate({"idle": {"payment": "1s"}}).sweep_interval == timedelta(seconds=5)


@pytest.mark.parametrize("interval", ["6s", "5m"])
def test_interval_within_every_threshold_is_taken(interval: str) -> None:
    found = DetectionSettings.model_validate({"sweep_interval": interval, "idle": {"payment": interval}})
    assert found.sweep_interval == found.idle.payment


def test_threshold_that_is_off_limits_no_interval() -> None:
    off = {"exit": "off", "declined": "off", "pending": "off"}
    assert DetectionSettings.model_validate({"sweep_interval": "5m", **off}).sweep_interval == timedelta(minutes=5)


def test_max_silence_beyond_every_threshold_is_refused() -> None:
    assert refused(max_silence="25h").startswith("max_silence must not be longer than detection.pending (24h)")
    assert DetectionSettings.model_validate({"max_silence": "24h"}).max_silence == timedelta(days=1)


def test_age_of_less_than_three_intervals_is_refused() -> None:
    assert refused(max_abandonment_age="14s").startswith(
        "max_abandonment_age must be at least 3 times detection.sweep_interval (5s)"
    )
    assert DetectionSettings.model_validate({"max_abandonment_age": "15s"}).max_abandonment_age == timedelta(seconds=15)


def test_refused_edit_keeps_the_interval_and_gives_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "winback.toml"
    edit(file, '[detection]\nsweep_interval = "1m"\n')
    read = DetectionReader(load({}, file), {})
    edit(file, '[detection]\nsweep_interval = "5m"\n[detection.idle]\npayment = "3m"\n')
    kept, problem = read()
    assert kept.sweep_interval == timedelta(minutes=1)
    assert problem == (
        f"detection.sweep_interval ({file}): '5m' must not be longer than detection.idle.payment (3m), "
        "or a session would wait for the sweep for longer than for its threshold"
    )


def test_start_is_refused_with_one_line() -> None:
    with pytest.raises(StartError, match=r"^WINBACK_DETECTION__SWEEP_INTERVAL: '4m' must not be longer than"):
        load({"WINBACK_DETECTION__SWEEP_INTERVAL": "4m", "WINBACK_DETECTION__EXIT": "2m"})
