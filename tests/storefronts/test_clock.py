from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefronts.clock import occurred, stopped, written

RECEIVED = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
MOMENTS = st.none() | st.text(max_size=30) | st.floats() | st.integers() | st.datetimes().map(datetime.isoformat)


def at(hours: float) -> str:
    return (RECEIVED + timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "hours"),
    [
        (at(-1), None, -1),
        (at(-1), at(0), -1),
        (at(-1), "2026-12-01T11:59:59.500000+00:00", -1),  # on the way for half a second
        (at(-3), at(-2), -1),  # a clock that is two hours late
        (at(1), at(2), -1),  # one that is two hours ahead
        (at(-1), at(-1 / 60), -1),  # delayed for a minute, perhaps as a repeated request
        (at(1), None, 0),  # ahead, and there is nothing to correct it by
        (at(3), at(2), 0),
        (None, at(2), 0),
        ("yesterday", at(2), 0),
        ("2026-12-01T11:00:00", None, -1),  # without a zone
        ("2026-12-01T08:00:00-03:00", None, -1),
        ("0001-01-01T00:00:00+05:00", None, 0),
    ],
)
def test_moment_is_corrected_by_the_sender_s_clock(timestamp: str | None, sent_at: str | None, hours: float) -> None:
    assert occurred(timestamp, RECEIVED, sent_at=sent_at) == RECEIVED + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("sent_at", "hours"),
    [(None, -1), (at(0), -1), (at(-2), 0), (at(2), 0), (at(-1 / 60), 0)],
)
def test_stop_under_a_wrong_clock_counts_at_its_arrival(sent_at: str | None, hours: float) -> None:
    assert stopped(at(-1), RECEIVED, sent_at=sent_at) == RECEIVED + timedelta(hours=hours)


@given(MOMENTS, MOMENTS)
def test_stop_is_never_before_the_moment_of_an_activity(timestamp: object, sent_at: object) -> None:
    latest = stopped(timestamp, RECEIVED, sent_at=sent_at)
    assert occurred(timestamp, RECEIVED, sent_at=sent_at) <= latest <= RECEIVED


@given(MOMENTS, MOMENTS)
def test_moment_is_never_later_than_the_arrival(timestamp: object, sent_at: object) -> None:
    found = occurred(timestamp, RECEIVED, sent_at=sent_at)
    assert found <= RECEIVED
    assert found.tzinfo is UTC


def test_moment_is_written_in_utc() -> None:
    assert written(occurred("2026-11-22T11:40:00-05:00", RECEIVED)) == "2026-11-22T16:40:00Z"
