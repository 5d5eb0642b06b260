"""Times in UTC, with another zone behind; and the setting that names the zone."""

import pytest

from worker.errors import StartError
from worker.settings import load
from worker.times import near_time, written_time

AT = 1_796_112_000_000  # 2026-12-01 08:00 UTC


@pytest.mark.parametrize(
    ("ms", "zone", "shown"),
    [
        (AT, "UTC", "2026-12-01 08:00 UTC"),
        (AT, "America/Bogota", "2026-12-01 08:00 UTC (03:00 America/Bogota)"),
        (AT - 6 * 3_600_000, "America/Bogota", "2026-12-01 02:00 UTC (2026-11-30 21:00 America/Bogota)"),
        (AT, "Asia/Kolkata", "2026-12-01 08:00 UTC (13:30 Asia/Kolkata)"),
    ],
)
def test_a_time_is_written_in_utc_and_the_zone(ms: int, zone: str, shown: str) -> None:
    assert written_time(ms, zone) == shown


def test_seconds_are_written_when_asked_for() -> None:
    assert written_time(AT + 5_000, "America/Bogota", seconds=True).startswith("2026-12-01 08:00:05 UTC (03:00:05 ")


def test_a_time_within_a_day_is_written_without_dates() -> None:
    day_ms = 24 * 3_600_000

    assert near_time(AT, AT + day_ms - 1, "America/Bogota") == "08:00 UTC (03:00 America/Bogota)"
    assert near_time(AT, AT - day_ms + 1) == "08:00 UTC"
    assert near_time(AT, AT + day_ms) == "2026-12-01 08:00 UTC"


@pytest.mark.parametrize("text", ["america/bogota", " America/Bogota "])
def test_time_zone_is_read_in_any_letter_case(text: str) -> None:
    assert load({"WINBACK_REPORT__TIME_ZONE": text}).report.time_zone == "America/Bogota"


@pytest.mark.parametrize("text", ["Mars", "-05:00", "Factory", "../etc/passwd"])
def test_unknown_time_zone_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(StartError, match="is not a time zone: write an IANA name, like America/Bogota, or UTC"):
        load({"WINBACK_REPORT__TIME_ZONE": text})


@pytest.mark.parametrize("text", ["America/Bogta", "Bogota", "america-bogota"])
def test_misspelled_time_zone_gets_a_suggestion(text: str) -> None:
    for variable in ("WINBACK_REPORT__TIME_ZONE", "WINBACK_CONTACT__DEFAULT_ZONE"):
        with pytest.raises(StartError, match=r"is not a time zone; did you mean America/Bogota\?$"):
            load({variable: text})
