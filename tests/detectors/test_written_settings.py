"""The settings of detection as text: written, read again and compared."""

from datetime import timedelta

import pytest

from detectors.settings import DetectionSettings, PlatformThresholds
from detectors.written_settings import SettingChange, changes, read_written, written

IOS = DetectionSettings(idle_by_platform={"ios": PlatformThresholds(checkout=timedelta(minutes=5))}, pending=None)


@pytest.mark.parametrize("settings", [DetectionSettings(), IOS, DetectionSettings(exit=timedelta(seconds=90))])
def test_written_settings_are_read_as_they_were(settings: DetectionSettings) -> None:
    found = read_written(written(settings))

    assert found is not None
    assert written(found) == written(settings)


def test_each_setting_is_written_as_in_the_file() -> None:
    found = written(IOS)

    assert found["detection.idle.checkout"] == "15m"
    assert found["detection.idle_by_platform.ios.checkout"] == "5m"
    assert "detection.idle_by_platform.ios.payment" not in found
    assert found["detection.pending"] == "off"
    assert found["detection.orders_stopped"] == "alarm"


def test_changes_name_settings_that_only_one_version_has() -> None:
    assert changes(written(DetectionSettings()), written(IOS)) == [
        SettingChange("detection.idle_by_platform.ios.checkout", "unset", "5m"),
        SettingChange("detection.pending", "24h", "off"),
    ]
    assert changes(written(IOS), written(IOS)) == []


@pytest.mark.parametrize(
    "values", [{"detection.idle.checkout": "soon"}, {"detection.unknown": "1m"}, {"delivery.rate": "1/s"}]
)
def test_settings_of_another_version_are_not_read(values: dict[str, str]) -> None:
    assert read_written(values) is None
