"""Quiet hours: never inside, and always the earliest opening, whatever the zones and their clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tasks.quiet_hours import DAYS, QuietHours, Window, parse, write, zones_of

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


def opening(hours: str, moment: str, *zones: str) -> str | None:
    found = parse(hours).next_opening(at(moment), zones or BOGOTA)
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
    found = parse("21:00-08:00").next_opening(at(moment), BOGOTA)
    assert found is not None
    assert found.astimezone(UTC) == at(expected)


def test_a_window_belongs_to_the_day_on_which_it_begins() -> None:
    hours = "fri 21:00-08:00"
    assert opening(hours, "2026-11-28T03:00-05:00") == "2026-11-28T13:00:00+00:00"  # a Saturday morning
    assert parse(hours).is_quiet(at("2026-11-27T22:00-05:00"), BOGOTA)
    assert not parse(hours).is_quiet(at("2026-11-27T03:00-05:00"), BOGOTA)
    assert not parse(hours).is_quiet(at("2026-11-28T22:00-05:00"), BOGOTA)


def test_whole_days_join_with_the_nights_around_them() -> None:
    hours = "mon-sat 21:00-08:00; sun 00:00-24:00"
    assert opening(hours, "2026-11-28T22:00-05:00") == "2026-11-30T05:00:00+00:00"


def test_every_zone_has_to_be_open() -> None:
    zones = ("America/New_York", "America/Los_Angeles")
    assert opening("21:00-08:00", "2026-11-23T09:00-05:00", *zones) == "2026-11-23T16:00:00+00:00"
    assert parse("21:00-08:00").is_quiet(at("2026-11-23T19:30-08:00"), zones)


def test_zones_that_are_never_open_together_have_no_opening() -> None:
    assert opening("12:00-24:00", "2026-11-23T09:00+00:00", "Pacific/Auckland", "America/Lima", "Europe/Paris") is None


def test_where_the_hour_of_the_opening_is_left_out_it_opens_at_the_change() -> None:
    # In New York 02:00 became 03:00 on 8 March 2026.
    assert opening("21:00-02:30", "2026-03-08T01:00-05:00", "America/New_York") == "2026-03-08T07:00:00+00:00"


def test_where_the_hour_of_the_opening_comes_twice_it_is_quiet_again() -> None:
    # In New York 02:00 became 01:00 on 1 November 2026.
    hours = parse("00:30-01:30")
    assert opening("00:30-01:30", "2026-11-01T01:00-04:00", "America/New_York") == "2026-11-01T05:30:00+00:00"
    assert hours.is_quiet(at("2026-11-01T01:10-05:00"), ["America/New_York"])


windows = st.builds(
    lambda days, begin, length: Window(frozenset(days), begin, begin + length),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 95).map(lambda quarter: quarter * 15),
    st.integers(1, 88).map(lambda quarter: quarter * 15),
)
moments = st.one_of(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - as hypothesis wants
    # Around the days on which clocks are changed somewhere.
    st.builds(
        lambda day, minutes: at(day) + timedelta(minutes=minutes),
        st.sampled_from(
            ["2026-03-07T20:00Z", "2026-03-28T20:00Z", "2026-10-24T20:00Z", "2026-10-31T20:00Z", "2026-04-04T10:00Z"]
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
    opens = hours.next_opening(moment, zones)
    step, looked = timedelta(minutes=5), moment
    limit = opens if opens is not None else moment + timedelta(days=7)
    if opens is not None:
        assert opens >= moment
        assert not hours.is_quiet(opens, zones)
    # Windows and offsets are multiples of five minutes: whoever looks so often misses no opening.
    looked = moment.replace(minute=moment.minute - moment.minute % 5, second=0, microsecond=0) + step
    while looked < limit:
        assert hours.is_quiet(looked, zones)
        looked += step


@given(st.lists(windows, min_size=1, max_size=3))
def test_what_is_written_is_read_as_the_same(found: list[Window]) -> None:
    hours = QuietHours(tuple(found))
    assume(hours.next_opening(at("2026-01-01T00:00Z"), ["UTC"]) is not None)
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
def test_what_cannot_be_meant_is_said_clearly(text: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_a_list_of_windows_is_read_too() -> None:
    assert parse(["mon-fri 21:00-08:00", "sat,sun 20:00-10:00"]) == parse("mon-fri 21:00-08:00; sat,sun 20:00-10:00")


def test_a_range_of_days_may_go_over_the_end_of_the_week() -> None:
    assert parse("sat-mon 21:00-08:00").windows[0].days == {DAYS.index(day) for day in ("sat", "sun", "mon")}


@pytest.mark.parametrize(
    ("phone", "country", "zones"),
    [
        ("+573001234567", "CO", {"America/Bogota"}),
        ("+12125550123", "US", {"America/New_York"}),
        ("+80012345678", "CO", {"America/Bogota"}),
        ("", "MX", {"America/Mexico_City", "America/Tijuana"}),
        ("", "", {"Europe/Madrid"}),
        ("nonsense", "XX", {"Europe/Madrid"}),
    ],
)
def test_the_number_tells_the_zone_else_the_country_else_the_default(phone: str, country: str, zones: set[str]) -> None:
    assert zones <= set(zones_of(phone, country, "Europe/Madrid"))


def test_a_number_without_a_place_of_its_own_is_in_every_zone_of_its_plan() -> None:
    assert len(zones_of("+18005550123", "US", "UTC")) > 1


def test_every_zone_that_a_number_can_have_is_known_here() -> None:
    for zone in zones_of("+18005550123", "US", "UTC"):
        assert ZoneInfo(zone).key == zone
