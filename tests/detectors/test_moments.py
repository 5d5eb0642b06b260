"""Moments as shops write them; none if there are two readings."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.normalize.moments import expiry, moment

AT = datetime(2026, 11, 26, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-26T10:30:00Z",
        "2026-11-26 10:30:00Z",
        "2026-11-26T05:30:00-05:00",
        "2026-11-26T05:30:00-0500",
        "2026-11-26T05:30:00-05",
        "2026-11-26T10:30Z",
        "2026-11-26t10:30:00z",
        "2026-11-26 10:30:00 UTC",
        "2026-11-26 10:30:00 +0000 UTC",
        "2026/11/26 10:30:00 GMT",
        "2026-11-26T05:30:00-05:00[America/Bogota]",
        "20261126T103000Z",
        "2026-W48-4T10:30:00Z",
        "Thu, 26 Nov 2026 10:30:00 GMT",
        "Thu Nov 26 2026 11:30:00 GMT+0100 (CET)",
        "1795689000",
        "1795689000000",
        1795689000,
        1795689000.0,
        1795689000000,
        1795689000000000,
        1795689000000000000,
        " 2026-11-26T10:30:00Z ",
    ],
)
def test_a_moment_is_read_in_every_usual_form(written: object) -> None:
    assert moment(written) == AT


def test_a_moment_without_a_zone_stays_without_one() -> None:
    assert moment("2026-11-26T10:30:00") == AT.replace(tzinfo=None)


@pytest.mark.parametrize(
    "written",
    [
        *("20261126103000Z", "20261126103000", "2026-11-26", "20261126", "26/11/2026 10:30", "11-26-2026 10:30"),
        *("0000-00-00 00:00:00", "0000-00-00T00:00:00Z", "2026-02-30T10:00:00Z", "2026-11-26T25:00:00Z", "yesterday"),
        *("", None, True, [], {}, 0, 5, -1, 10**400, 1e300, float("nan"), float("inf"), "1" * 500),
    ],
)
def test_what_has_no_or_two_readings_is_no_moment(written: object) -> None:
    assert moment(written) is None


def test_a_leap_second_and_nanoseconds_are_read() -> None:
    assert moment("2026-11-26T10:29:60Z") == AT - timedelta(seconds=1)
    assert moment("2026-11-26T10:30:00.123456789Z") == AT + timedelta(microseconds=123456)


def test_date_without_time_ends_when_it_ended_everywhere() -> None:
    assert expiry("2026-11-26") == datetime(2026, 11, 27, 12, tzinfo=UTC)
    assert expiry("9999-12-31") is None
    assert expiry("2026-02-31") is None


@given(st.datetimes(timezones=st.timezones() | st.none()))
def test_whatever_python_writes_is_read_back(at: datetime) -> None:
    found = moment(at.isoformat())
    # Not the moments themselves: in an hour that a clock passes twice, two zones never compare as equal.
    assert found is not None
    assert found.isoformat() == at.isoformat()


@given(
    st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.from_regex(r"[0-9 T:Z+/.,-]{4,30}", fullmatch=True))
)
def test_whatever_is_written_for_a_moment_does_not_raise(value: object) -> None:
    assert moment(value) is None or isinstance(moment(value), datetime)
    assert expiry(value) is None or isinstance(expiry(value), datetime)
