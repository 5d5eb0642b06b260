"""The data of `winback report`, from the counters. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from detectors import minor_units
from detectors.flow import PLATFORMS, STAGES
from detectors.json_values import JsonObject
from state.attribution import UNPRICED
from state.daily_counters import DailyCount
from state.day_zone import UTC_DAYS, DayZone
from winback.operations.earned import earned
from winback.operations.lift import METHOD, Comparison, Group, Interval, compare
from winback.operations.silent_hours import SilentHours

By = Literal["day", "stage", "platform"]
EVERY: tuple[By, ...] = ("day", "stage", "platform")
BY_THEMSELVES = ("came_back", "paid")
"""Reasons of `cancelled` for shoppers who returned or paid before any contact."""
_WITHOUT_PLACE = ("arm", "silent_hour")
"""Counters that no row has: an experiment is compared as a whole, and hours aren't kept by place."""
_EPOCH = date(1970, 1, 1)


class Where(NamedTuple):
    """The scope of a row; None for a dimension by which the report isn't divided."""

    day: date | None = None
    stage: str | None = None
    platform: str | None = None


@dataclass(slots=True)
class Row:
    """The numbers of a day, a stage, a platform, or any combination."""

    where: Where
    sessions: int = 0
    """New sessions, counted at their first stage and platform."""
    silent: int = 0
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    """By outcome and reason."""
    recovered: Counter[str] = field(default_factory=Counter)
    """After a contact: `orders`, `unpriced` among them, and minor units by currency."""
    control: Counter[str] = field(default_factory=Counter)
    """The same for the holdout."""

    def ended(self, outcome: str) -> int:
        """Return how many ended with an outcome, for any reason."""
        return sum(self.outcomes.get(outcome, {}).values())

    @property
    def by_themselves(self) -> int:
        """Return how many silent sessions returned or paid before any contact."""
        return sum(self.outcomes.get("cancelled", Counter())[reason] for reason in BY_THEMSELVES)

    @property
    def comparison(self) -> Comparison:
        """Return the contacted people compared with the holdout."""
        held_out = self.outcomes.get("suppressed", Counter())["holdout"]
        contacted = Group(self.ended("sent"), self.recovered["orders"])
        return compare(contacted, Group(held_out, self.control["orders"]))

    def add(self, tally: DailyCount) -> None:
        """Add a count."""
        match tally.name:
            case "sessions":
                self.sessions += tally.number
            case "silent":
                self.silent += tally.number
            case "recovered":
                self.recovered[tally.detail] += tally.number
            case "control":
                self.control[tally.detail] += tally.number
            case outcome:
                self.outcomes.setdefault(outcome, Counter())[tally.detail] += tally.number


@dataclass(frozen=True, slots=True)
class Report:
    """Rows that add up to `total`, from the first to the last day, both included."""

    since: date
    until: date
    by: Sequence[By]
    window: timedelta
    rows: Sequence[Row]
    """Rows with any activity, in the order of days, stages and platforms."""
    total: Row
    zone: DayZone = UTC_DAYS
    """The zone of the days."""
    hours: SilentHours = field(default_factory=SilentHours)


def make(tallies: Iterable[DailyCount], since: date, until: date, by: Sequence[By], window: timedelta) -> Report:
    """Add up counters."""
    rows: dict[Where, Row] = {}
    by_place: dict[tuple[int, str, str], Row] = {}
    total, hours = Row(Where()), SilentHours()
    for tally in tallies:
        if tally.name in _WITHOUT_PLACE:
            hours.add(tally)
            continue
        place = (tally.day, tally.stage, tally.platform)
        row = by_place.get(place)
        if row is None:
            where = Where(**{part: _part(tally, part) for part in by})  # type: ignore[arg-type]
            row = by_place[place] = rows.setdefault(where, Row(where))
        row.add(tally)
        total.add(tally)
    return Report(since, until, by, window, sorted(rows.values(), key=_order), total, hours=hours)


def day_of(number: int) -> date:
    """Return the date of a day, given in days since 1970-01-01."""
    return _EPOCH + timedelta(days=number)


def number_of(day: date) -> int:
    """Return a date in days since 1970-01-01."""
    return (day - _EPOCH).days


def is_open(report: Report, now: datetime) -> bool:
    """Return whether contacts of these days can still lead to orders."""
    ends = datetime(report.until.year, report.until.month, report.until.day, tzinfo=UTC) + timedelta(days=1)
    return now < ends - timedelta(milliseconds=report.zone.offset_ms) + report.window


def money(totals: Mapping[str, int]) -> dict[str, Decimal]:
    """Return the amounts in `recovered` or `control`, by currency."""
    return {
        code: minor_units.amount(units, code)
        for code, units in sorted(totals.items())
        if units and code not in {"orders", UNPRICED}
    }


def document(report: Report, now: datetime, experiment: JsonObject | None = None) -> JsonObject:
    """Return the report as JSON data. Rates are parts of one; unknown values are null."""
    return {
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "time_zone": report.zone.name,
        "by": list(report.by),
        "attribution_window_s": report.window.total_seconds(),
        "window_open": is_open(report, now),
        "method": METHOD,
        "rows": [_row(row, report.by) for row in report.rows],
        "total": _row(report.total, ()),
        "earned": earned(report.total.comparison, money(report.total.recovered), money(report.total.control)),
        "silent_by_hour": report.hours.document(),
        "experiment": experiment,
    }


def _row(row: Row, by: Sequence[By]) -> JsonObject:
    where: dict[str, str] = {part: str(getattr(row.where, part)) for part in by}
    suppressed, cancelled = (dict(row.outcomes.get(name, {})) for name in ("suppressed", "cancelled"))
    others = {name: row.ended(name) for name in ("unreachable", "expired", "dead", "unknown")}
    return {
        **where,
        "sessions": row.sessions,
        "silent": row.silent,
        "came_back": row.by_themselves,
        "cancelled": cancelled,
        "contacted": row.ended("sent"),
        "suppressed": {"total": row.ended("suppressed"), "reasons": suppressed},
        **others,
        "recovered": _orders(row.recovered),
        "control": _orders(row.control),
        "comparison": _comparison(row.comparison),
    }


def _orders(totals: Mapping[str, int]) -> JsonObject:
    return {
        "orders": totals.get("orders", 0),
        "unpriced": totals.get(UNPRICED, 0),
        # Numbers, as usual in JSON; exact up to 15 digits.
        "revenue": {code: float(amount) for code, amount in money(totals).items()},
    }


def _comparison(found: Comparison) -> JsonObject:
    return {
        "contacted": {**found.contacted._asdict(), "conversion": found.contacted.rate},
        "holdout": {**found.holdout._asdict(), "conversion": found.holdout.rate},
        "difference": found.difference,
        "difference_95": _pair(found.difference_interval),
        "lift": found.lift,
        "lift_95": _pair(found.lift_interval),
        "enough": found.difference is not None,
    }


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _part(tally: DailyCount, part: By) -> date | str:
    match part:
        case "day":
            return day_of(tally.day)
        case "stage":
            return tally.stage or "-"
        case "platform":
            return tally.platform or "-"


def _order(row: Row) -> tuple[date, int, int]:
    day, stage, platform = row.where
    return (
        day or _EPOCH,
        STAGES.index(stage) if stage in STAGES else len(STAGES),
        PLATFORMS.index(platform) if platform in PLATFORMS else len(PLATFORMS),
    )
