"""Compares the arms of an experiment, in a way that stays valid when the report is read every day. Pure.

The interval of a difference of two arms is a confidence sequence: it holds for all days together, so a shop can look
each day and stop as soon as it sees an answer. Ordinary intervals, read daily, name a false winner far more often than
stated.

- Of a difference: the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024),
  *Time-uniform central limit theory and asymptotic confidence sequences*, Annals of Statistics 52, 2613-2640: the
  boundary of Robbins' normal mixture, with the estimated variance of the difference.
- Of several arms: a false winner differs falsely from the best arm, so there are as many ways to err as other arms
  (Bonferroni).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil, log, sqrt
from typing import NamedTuple

from detectors.json_values import JsonObject
from state.daily_counters import DailyCount
from state.day_zone import DayZone
from tasks.policy.experiment import HOLDOUT, ExperimentSettings
from winback.operations.lift import FEWEST_ORDERS, FEWEST_PEOPLE, Interval
from winback.operations.report import money

COUNTER = "arm"
"""The name of the arms' counters."""
ERROR_RATE = 0.05
"""How often, at most, an experiment without a difference names a winner, on any of its days."""
_SHARPEST_AT = 5000
"""The number of people, of two arms together, at which the interval is the narrowest."""
_MOST_DAYS = 3650


@dataclass(slots=True)
class ArmResult:
    """The people of an arm whose window is over, and what they ordered."""

    name: str
    people: int = 0
    orders: int = 0
    unpriced: int = 0
    units: dict[str, int] = field(default_factory=dict)
    """Minor units by currency."""
    waiting: int = 0
    """People whose window isn't over. They and their orders don't count yet."""

    @property
    def rate(self) -> float | None:
        """The share of people who ordered."""
        return self.orders / self.people if self.people else None

    @property
    def variance(self) -> float:
        """The variance of the rate. One order and one person without an order are added, so that it is never zero."""
        share = (self.orders + 1) / (self.people + 2)
        return share * (1 - share) / self.people


class Difference(NamedTuple):
    """The rate of one arm minus that of another."""

    one: str
    other: str
    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Findings:
    """What an experiment shows so far."""

    name: str
    start: date
    until: date | None
    """The last day whose people's windows are over; None if there is none yet."""
    arms: Sequence[ArmResult]
    differences: Sequence[Difference]
    """Between every two arms; empty while there are too few people or orders."""
    winner: str
    """The arm that is better than every other; empty while there is none."""
    all_alike: bool
    """No arm differs from another by as much as the smallest difference that matters."""
    days_needed: int | None
    """Further days until a difference that matters would be found, at the present pace; None: unknown."""

    @property
    def is_decided(self) -> bool:
        """Whether more days can't change the answer."""
        return bool(self.winner) or self.all_alike


def half_width(one: ArmResult, other: ArmResult, error_rate: float) -> float:
    """Return half the width of the interval of a difference."""
    return _half_width(one.variance + other.variance, one.people + other.people, error_rate)


def _half_width(variance: float, people: float, error_rate: float) -> float:
    spread = -2 * log(error_rate)
    mixed = people * (spread + log(spread) + 1) / _SHARPEST_AT + 1
    return sqrt(variance * mixed / (mixed - 1) * 2 * log(sqrt(mixed) / error_rate))


def compare(arms: Sequence[ArmResult]) -> list[Difference]:
    """Return the difference of every two arms; none while an arm has too few people, or all have too few orders."""
    if min(arm.people for arm in arms) < FEWEST_PEOPLE or sum(arm.orders for arm in arms) < FEWEST_ORDERS:
        return []
    error_rate = ERROR_RATE / (len(arms) - 1)
    found = []
    for number, one in enumerate(arms):
        for other in arms[number + 1 :]:
            value, half = one.orders / one.people - other.orders / other.people, half_width(one, other, error_rate)
            found.append(Difference(one.name, other.name, value, Interval(value - half, value + half)))
    return found


def winner_of(arms: Sequence[ArmResult], differences: Sequence[Difference]) -> str:
    """Return the arm that is better than every other; empty if there is none."""
    won = [(each.one, each.other) for each in differences if each.interval.low > 0]
    won += [(each.other, each.one) for each in differences if each.interval.high < 0]
    return next((arm.name for arm in arms if sum(better == arm.name for better, _ in won) == len(arms) - 1), "")


def findings(
    counts: Iterable[DailyCount], settings: ExperimentSettings, now: datetime, zone: DayZone
) -> Findings | None:
    """Return what the counters show of the experiment in the settings; None if there is none.

    People whose window isn't over are left out, because an arm with a delay would look worse than it is.
    """
    if not settings.name or settings.start is None:
        return None
    now_ms = int(now.timestamp() * 1000)
    last_day = zone.day(now_ms - settings.window // timedelta(milliseconds=1)) - 1
    arms = {name: ArmResult(name) for name in settings.names}
    days: set[int] = set()
    for count in counts:
        experiment, _, rest = count.detail.partition(".")
        name, _, what = rest.partition(".")
        if count.name != COUNTER or experiment != settings.name:
            continue
        arm = arms.setdefault(name, ArmResult(name))
        if count.day > last_day:
            arm.waiting += count.number if what == "people" else 0
            continue
        days.add(count.day)
        _add(arm, what, count.number)
    results = sorted(arms.values(), key=lambda arm: (arm.name == HOLDOUT, arm.name))
    differences, matters = compare(results), settings.difference / 100
    until = date(1970, 1, 1) + timedelta(days=last_day) if days else None
    winner = winner_of(results, differences)
    alike = bool(differences) and all(-matters < d.interval.low and d.interval.high < matters for d in differences)
    observed = last_day - min(days) + 1 if days else 0
    needed = None if winner or alike else days_needed(results, observed, matters)
    return Findings(settings.name, settings.start, until, results, differences, winner, alike, needed)


def _add(arm: ArmResult, what: str, number: int) -> None:
    match what:
        case "people":
            arm.people += number
        case "orders":
            arm.orders += number
        case "unpriced":
            arm.unpriced += number
        case currency:
            arm.units[currency] = arm.units.get(currency, 0) + number


def days_needed(arms: Sequence[ArmResult], observed: int, difference: float) -> int | None:
    """Return after how many more days every interval is narrow enough to find a difference; None: unknown.

    `observed`: how many days the people of the arms took to come; `difference`: as a part of one.
    """
    if not observed or min(arm.people for arm in arms) == 0:
        return None
    error_rate = ERROR_RATE / (len(arms) - 1)

    def is_enough(days: int) -> bool:
        factor = days / observed
        return all(
            _half_width((one.variance + other.variance) / factor, (one.people + other.people) * factor, error_rate)
            <= difference
            for number, one in enumerate(arms)
            for other in arms[number + 1 :]
        )

    low, high = observed, observed + _MOST_DAYS
    if not is_enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle + 1, high)
    return ceil(max(low - observed, 1))


def document(found: Findings) -> JsonObject:
    """Return the findings as JSON data. Rates are parts of one; unknown values are null."""
    return {
        "name": found.name,
        "start": found.start.isoformat(),
        "until": found.until.isoformat() if found.until else None,
        "arms": [_arm(arm) for arm in found.arms],
        "differences": [
            {"arm": each.one, "other": each.other, "difference": each.value, "interval": list(each.interval)}
            for each in found.differences
        ],
        "error_rate": ERROR_RATE,
        "winner": found.winner or None,
        "all_alike": found.all_alike,
        "days_needed": found.days_needed,
    }


def _arm(arm: ArmResult) -> JsonObject:
    revenue: Mapping[str, float] = {code: float(amount) for code, amount in money(arm.units).items()}
    return {
        "name": arm.name,
        "people": arm.people,
        "orders": arm.orders,
        "unpriced": arm.unpriced,
        "revenue": dict(revenue),
        "conversion": arm.rate,
        "waiting": arm.waiting,
    }
