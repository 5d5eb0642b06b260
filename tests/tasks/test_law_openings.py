"""The law over time: never inside a closed window, always the earliest opening, with holidays and clock changes."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import holidays
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.policy.law.closings import closed, every
from tasks.policy.law.places import Place
from tasks.policy.law.regions import area_codes_of
from tasks.policy.law.table import table
from tasks.policy.law.zone_files import zone, zones_by_country
from tasks.policy.law.zones import zones_of_area_codes
from tasks.policy.openings import closed_by, next_opening
from tasks.policy.settings import ContactSettings

QUARTER = timedelta(minutes=15)
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
LAW_ALONE = ContactSettings.model_validate({"quiet_hours": "off"})
BOTH = ContactSettings()
YEARS = range(2026, 2031)


def place_in(code: str, zones: Sequence[str] = ()) -> Place:
    country, dash, _ = code.partition("-")
    there = zones_of_area_codes(area_codes_of(code)) if dash else zones_by_country()[country]
    return Place((country, code) if dash else (country,), tuple(zones) or there[:3])


def opening(place: Place, moment: datetime, rules: ContactSettings) -> datetime | None:
    zones = [zone(name) for name in place.zones]
    return next_opening(every("checkout", place, rules), moment, zones)


def allows(place: Place, moment: datetime, *, quiet: bool) -> bool:
    """Return whether the law and the usual quiet hours allow a moment, from a simple reading of the table."""
    for name in place.zones:
        local = moment.astimezone(zone(name))
        clock = local.hour * 60 + local.minute
        if quiet and not 8 * 60 <= clock < 21 * 60:
            return False
        if not all(_allows(code, local.date(), clock) for code in place.jurisdictions if code in table()):
            return False
    return True


def _allows(code: str, day: date, clock: int) -> bool:
    entry = table()[code]
    country, _, state = code.partition("-")
    # Also on the country's holidays that a state lacks, such as Columbus Day in Louisiana: the stricter counts.
    calendars = [holidays.country_holidays(country, subdiv=part, years=day.year) for part in {None, state or None}]
    if entry.closed_on_holidays and any(day in calendar for calendar in calendars):
        return False
    return not entry.windows or any(_within(window, day, clock) for window in entry.windows)


def _within(window: str, day: date, clock: int) -> bool:
    days, hours = window.split()
    first, _, last = days.partition("-")
    begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in hours.split("-"))
    return DAYS.index(first) <= day.weekday() <= DAYS.index(last or first) and begin <= clock < end


def near(day: date, minutes: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minutes)


def _special() -> list[date]:
    """Return days around clock changes and holidays."""
    found = {date(year, month, day) for year in YEARS for month, day in ((12, 24), (12, 31), (4, 2), (1, 5), (5, 13))}
    for name in ("America/New_York", "Europe/Madrid", "America/Santiago", "America/St_Johns"):
        at = datetime(2026, 1, 1, tzinfo=UTC)
        while at.year in YEARS:
            after = at + timedelta(days=1)
            if at.astimezone(zone(name)).utcoffset() != after.astimezone(zone(name)).utcoffset():
                found |= {at.date(), after.date()}
            at = after
    return sorted(found)


moments = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 12, 24), timezones=st.just(UTC)),  # noqa: DTZ001 - as hypothesis wants
    st.builds(near, st.sampled_from(_special()), st.integers(0, 24 * 60)),
)


@pytest.mark.parametrize("code", table())
@given(moment=moments, quiet=st.booleans())
@example(moment=datetime(2026, 10, 11, 1, tzinfo=UTC), quiet=False)
@settings(max_examples=25, deadline=None)
def test_a_law_opens_at_the_earliest_allowed_moment(code: str, moment: datetime, *, quiet: bool) -> None:
    place = place_in(code)
    opens = opening(place, moment, BOTH if quiet else LAW_ALONE)
    assert opens is not None
    assert opens >= moment
    assert allows(place, opens, quiet=quiet)
    _is_closed_until(opens, place, moment, quiet=quiet)


@given(
    codes=st.lists(st.sampled_from(sorted(table())), min_size=2, max_size=3, unique=True),
    zones=st.lists(
        st.sampled_from(["America/Bogota", "Europe/Madrid", "America/St_Johns", "America/Los_Angeles"]),
        min_size=1,
        max_size=2,
        unique=True,
    ),
    moment=moments,
)
@settings(max_examples=60, deadline=None)
def test_several_laws_and_zones_open_together(codes: list[str], zones: list[str], moment: datetime) -> None:
    jurisdictions = tuple(dict.fromkeys(part for code in codes for part in (code[:2], code)))
    place = Place(jurisdictions, tuple(zones))
    opens = opening(place, moment, BOTH)
    if opens is not None:
        assert allows(place, opens, quiet=True)
    _is_closed_until(opens or moment + timedelta(days=10), place, moment, quiet=True)


def _is_closed_until(opens: datetime, place: Place, moment: datetime, *, quiet: bool) -> None:
    # Windows, offsets and changes are multiples of 15 minutes, so checking each of them misses no opening.
    at = moment
    while at < opens:
        assert not allows(place, at, quiet=quiet)
        at = at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0) + QUARTER


@pytest.mark.parametrize("code", [code for code, entry in table().items() if entry.closed_on_holidays])
@pytest.mark.parametrize("year", YEARS)
def test_every_public_holiday_is_closed_all_day(code: str, year: int) -> None:
    place = place_in(code)
    country, _, state = code.partition("-")
    (name, *_) = place.zones
    days = holidays.country_holidays(country, subdiv=state or None, years=year)
    assert len(days) >= 8
    for day in days:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone(name))
        opens = opening(Place(place.jurisdictions, (name,)), noon, LAW_ALONE)
        assert opens is not None
        assert opens.astimezone(zone(name)).date() > day


def open_hours(rules: ContactSettings, monday: date) -> set[tuple[int, int]]:
    """Return the hours of a week, as weekday and hour, in which a Colombian is contacted."""
    place, found = place_in("CO"), set()
    for hour in range(168):
        local = datetime(monday.year, monday.month, monday.day, tzinfo=zone("America/Bogota")) + timedelta(hours=hour)
        quarters = [local + quarter * QUARTER for quarter in range(4)]
        state = [
            closed_by(every("checkout", place, rules), each, [zone("America/Bogota")]) is None for each in quarters
        ]
        assert len(set(state)) == 1
        if state[0]:
            found.add(divmod(hour, 24))
    return found


WEEKDAYS, SATURDAY = range(5), 5


@pytest.mark.parametrize(
    ("rules", "begin", "end"), [(LAW_ALONE, 7, 19), (BOTH, 8, 19)], ids=["only the law", "with the usual quiet hours"]
)
def test_colombia_is_contacted_in_its_legal_hours_only(rules: ContactSettings, begin: int, end: int) -> None:
    expected = {(day, hour) for day in WEEKDAYS for hour in range(begin, end)}
    expected |= {(SATURDAY, hour) for hour in range(8, 15)}
    assert open_hours(rules, date(2026, 11, 23)) == expected


def test_a_colombian_holiday_is_closed_all_day() -> None:
    hours = open_hours(BOTH, date(2026, 12, 7))
    assert {day for day, _ in hours} == {0, 2, 3, 4, 5}  # Tuesday 8 December is a holiday


def told(code: str, moment: str, **rules: object) -> tuple[str, str] | None:
    place, contact = place_in(code), ContactSettings.model_validate(rules)
    found = closed(every("checkout", place, contact), datetime.fromisoformat(moment), "checkout", place, contact)
    return (found.why, found.until_text) if found else None


@pytest.mark.parametrize(
    ("code", "moment", "expected"),
    [
        ("CO", "2026-11-28T15:00-05:00", ("law_CO", "Monday 08:00")),
        ("CO", "2026-11-27T19:30-05:00", ("law_CO", "Saturday 08:00")),
        ("CO", "2026-11-27T12:00-05:00", None),
        ("CO", "2026-12-24T20:00-05:00", ("law_CO", "Saturday 08:00")),
        ("US-FL", "2026-11-27T20:30-05:00", ("law_US-FL", "Saturday 09:00 (America/New_York)")),
        ("CL", "2026-11-27T22:00-03:00", ("quiet_hours", "Saturday 08:00 (America/Santiago)")),
        ("MX", "2026-11-27T12:00-06:00", None),
    ],
)
def test_what_closes_is_named_with_its_opening(code: str, moment: str, expected: tuple[str, str] | None) -> None:
    assert told(code, moment) == expected


def test_a_long_closing_names_the_day_of_its_opening() -> None:
    days = [f"CO:2026-12-{day:02d}" for day in range(1, 12)]
    assert told("CO", "2026-12-01T12:00-05:00", holidays=days) == ("holiday", "Saturday 2026-12-12 08:00")


def test_a_law_that_is_off_closes_nothing() -> None:
    sunday = "2026-11-29T12:00-05:00"
    assert told("CO", sunday, law="off") is None
    assert told("CO", sunday, law_off=["Colombia"]) is None
    assert told("CO", sunday, law_off=["ES"]) == ("law_CO", "Monday 08:00")
    assert told("US-FL", "2026-11-27T20:30-05:00", law_off=["US-FL"]) is None


def test_a_region_adds_its_own_holidays() -> None:
    day, madrid = datetime(2026, 6, 24, 12, tzinfo=zone("Europe/Madrid")), ("Europe/Madrid",)
    catalonia, anywhere = Place(("ES", "ES-CT"), madrid), Place(("ES",), madrid)
    assert opening(anywhere, day, LAW_ALONE) == day
    assert opening(catalonia, day, LAW_ALONE) == datetime(2026, 6, 25, 9, tzinfo=zone("Europe/Madrid"))


def test_holidays_of_the_shop_hold_where_they_are_named() -> None:
    friday = "2026-11-27T12:00-05:00"
    assert told("CO", friday, holidays=["CO:2026-11-27"]) == ("holiday", "Saturday 08:00")
    assert told("CO", friday, holidays=["ES:2026-11-27"]) is None
    assert told("CO", friday, law="off", holidays=["2026-11-27"]) == ("holiday", "Saturday 08:00")


def test_zones_and_laws_never_open_together_have_no_opening() -> None:
    place = Place(("ES", "CO"), ("Europe/Madrid", "Pacific/Auckland"))
    assert opening(place, datetime(2026, 11, 27, tzinfo=UTC), BOTH) is None
