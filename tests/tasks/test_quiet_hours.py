"""Quiet hours: never inside, and always the earliest opening, for any zones and clock changes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tasks.policy.law.zone_files import zone
from tasks.policy.openings import Closing, closed_by, next_opening
from tasks.policy.quiet_hours import DAYS, QuietHours, Window, outside, parse, write

ZONES = [
    "UTC",
    "America/Bogota",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
]
BOGOTA = ["America/Bogota"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def opens_at(hours: QuietHours, moment: datetime, zones: Sequence[str]) -> datetime | None:
    return next_opening([Closing("quiet_hours", hours)], moment, [zone(name) for name in zones])


def is_quiet(hours: QuietHours, moment: datetime, zones: Sequence[str]) -> bool:
    return closed_by([Closing("quiet_hours", hours)], moment, [zone(name) for name in zones]) is not None


def opening(hours: str, moment: str, *zones: str) -> str | None:
    found = opens_at(parse(hours), at(moment), zones or BOGOTA)
    return None if found is None else found.isoformat()


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-22T20:59-05:00", "2026-11-23T01:59:00+00:00"),  # still open
        ("2026-11-22T21:00-05:00", "2026-11-23T13:00:00+00:00"),
        ("2026-11-23T03:00-05:00", "2026-11-23T13:00:00+00:00"),
        ("2026-11-23T07:59:59-05:00", "2026-11-23T13:00:00+00:00"),
        ("2026-11-23T08:00-05:00", "2026-11-23T13:00:00+00:00"),
    ],
)
def test_a_night_ends_in_the_morning(moment: str, expected: str) -> None:
    found = opens_at(parse("21:00-08:00"), at(moment), BOGOTA)
    assert found is not None
    assert found.astimezone(UTC) == at(expected)


def test_a_window_belongs_to_the_day_on_which_it_begins() -> None:
    hours = "fri 21:00-08:00"
    assert opening(hours, "2026-11-28T03:00-05:00") == "2026-11-28T13:00:00+00:00"  # a Saturday morning
    assert is_quiet(parse(hours), at("2026-11-27T22:00-05:00"), BOGOTA)
    assert not is_quiet(parse(hours), at("2026-11-27T03:00-05:00"), BOGOTA)
    assert not is_quiet(parse(hours), at("2026-11-28T22:00-05:00"), BOGOTA)


def test_whole_days_join_with_the_nights_around_them() -> None:
    hours = "mon-sat 21:00-08:00; sun 00:00-24:00"
    assert opening(hours, "2026-11-28T22:00-05:00") == "2026-11-30T05:00:00+00:00"


def test_every_zone_has_to_be_open() -> None:
    zones = ("America/New_York", "America/Los_Angeles")
    assert opening("21:00-08:00", "2026-11-23T09:00-05:00", *zones) == "2026-11-23T16:00:00+00:00"
    assert is_quiet(parse("21:00-08:00"), at("2026-11-23T19:30-08:00"), zones)


def test_zones_that_are_never_open_together_have_no_opening() -> None:
    assert opening("12:00-24:00", "2026-11-23T09:00+00:00", "Pacific/Auckland", "America/Lima", "Europe/Paris") is None


def test_skipped_opening_hour_opens_at_the_change() -> None:
    # In New York 02:00 became 03:00 on 8 March 2026.
    assert opening("21:00-02:30", "2026-03-08T01:00-05:00", "America/New_York") == "2026-03-08T07:00:00+00:00"


def test_repeated_opening_hour_is_quiet_again() -> None:
    # In New York 02:00 became 01:00 on 1 November 2026.
    hours = parse("00:30-01:30")
    assert opening("00:30-01:30", "2026-11-01T01:00-04:00", "America/New_York") == "2026-11-01T05:30:00+00:00"
    assert is_quiet(hours, at("2026-11-01T01:10-05:00"), ["America/New_York"])


windows = st.builds(
    lambda days, begin, length: Window(frozenset(days), begin, begin + length),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 95).map(lambda quarter: quarter * 15),
    st.integers(1, 88).map(lambda quarter: quarter * 15),
)
moments = st.one_of(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - as hypothesis wants
    # Around the days of clock changes.
    st.builds(
        lambda day, minutes: at(day) + timedelta(minutes=minutes),
        st.sampled_from(
            [
                "2026-03-07T20:00Z",
                "2026-03-28T20:00Z",
                "2026-10-24T20:00Z",
                "2026-10-31T20:00Z",
                "2026-04-04T10:00Z",
                "2028-02-28T12:00Z",
            ]
        ),
        st.integers(0, 24 * 60),
    ),
)


@given(st.lists(windows, max_size=3), st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True), moments)
@settings(max_examples=150, deadline=None)
def test_it_is_never_inside_and_always_the_earliest_opening(
    found: list[Window], zones: list[str], moment: datetime
) -> None:
    hours = QuietHours(tuple(found))
    opens = opens_at(hours, moment, zones)
    step, looked = timedelta(minutes=5), moment
    limit = opens if opens is not None else moment + timedelta(days=7)
    if opens is not None:
        assert opens >= moment
        assert not is_quiet(hours, opens, zones)
    # Windows and offsets are multiples of five minutes, so checking at this interval misses no opening.
    looked = moment.replace(minute=moment.minute - moment.minute % 5, second=0, microsecond=0) + step
    while looked < limit:
        assert is_quiet(hours, looked, zones)
        looked += step


@given(st.lists(windows, min_size=1, max_size=3))
@settings(deadline=None)
def test_what_is_written_is_read_as_the_same(found: list[Window]) -> None:
    hours = QuietHours(tuple(found))
    assume(not hours.is_always)
    assert parse(write(hours)) == hours


@pytest.mark.parametrize("text", ["off", "", "OFF"])
def test_off_is_never_quiet(text: str) -> None:
    assert parse(text) == QuietHours()
    assert write(QuietHours()) == "off"
    assert opening(text, "2026-11-23T03:00-05:00") == "2026-11-23T03:00:00-05:00"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("21-8", "write 21:00-08:00"),
        ("21:00-08:60", "not a time of the day"),
        ("25:00-08:00", "not a time of the day"),
        ("08:00-08:00", "no length"),
        ("24:00-08:00", "no length"),
        ("mo-fr 21:00-08:00", "names no weekday"),
        ("00:00-24:00", "leaves no time"),
        ("mon-thu 00:00-24:00; fri-sun 00:00-24:00", "leaves no time"),
        (21, "write"),
    ],
)
def test_impossible_hours_are_refused_with_a_clear_message(text: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_a_list_of_windows_is_read_too() -> None:
    assert parse(["mon-fri 21:00-08:00", "sat,sun 20:00-10:00"]) == parse("mon-fri 21:00-08:00; sat,sun 20:00-10:00")


def test_a_range_of_days_may_go_over_the_end_of_the_week() -> None:
    assert parse("sat-mon 21:00-08:00").windows[0].days == {DAYS.index(day) for day in ("sat", "sun", "mon")}


@given(st.lists(windows, max_size=4))
@settings(deadline=None)
def test_hours_are_always_quiet_when_no_minute_is_left(found: list[Window]) -> None:
    hours = QuietHours(tuple(found))
    week = [datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=15 * step) for step in range(7 * 96)]
    assert hours.is_always == all(hours.covers(moment) for moment in week)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([], "off"),
        (["00:00-24:00"], "off"),
        (["08:00-20:00"], "00:00-08:00; 20:00-24:00"),
        (
            ["mon-fri 10:00-13:00", "mon-fri 14:00-20:00", "sat,sun 00:00-24:00"],
            "mon-fri 00:00-10:00; mon-fri 13:00-14:00; mon-fri 20:00-24:00",
        ),
        (["mon-sat 08:00-20:00"], "mon-sat 00:00-08:00; mon-sat 20:00-24:00; sun 00:00-24:00"),
        (["10:00-12:00", "11:00-14:00"], "00:00-10:00; 14:00-24:00"),
    ],
)
def test_hours_outside_windows_are_what_is_left(windows: list[str], expected: str) -> None:
    assert set(outside(windows).windows) == set(parse(expected).windows)


def test_a_window_over_midnight_is_refused_in_a_law() -> None:
    with pytest.raises(ValueError, match="beyond its day"):
        outside(["21:00-08:00"])
