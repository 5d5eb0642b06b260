"""Whether orders still arrive: the statistic behind `detection.orders_stopped`. Pure: counts in, a verdict out.

The shop's own past gives the probability that a session at the checkout orders. The verdict is about the run of
sessions that reached it after the last order and had the usual time to order. If order events were still arriving, how
probable is it that none of them ordered?
`docs/guides/order-hooks.md` explains it, with its rate of false alarms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, log, sqrt
from typing import Literal, NamedTuple

HOURS = 24
STEPS_IN_OCTAVE = 4
"""Delays are counted in steps of a quarter octave: 19 % each."""
DELAYED = 0.95
"""The usual delay is the one within which this share of all orders arrives."""
FEWEST_ORDERS = 20
"""The fewest orders that the past must have; below it, `ASSUMED_RATE` counts."""
ASSUMED_RATE = 0.05
"""Orders for each session at the checkout when the past has too few orders. Few shops sell less."""
ASSUMED_DELAY_MS = 30 * 60_000
LEAST_SPREAD, MOST_SPREAD = 0.10, 0.20
"""How much the rate varies from hour to hour, at least and at most (standard deviation by mean). Larger variation comes
from robots and campaigns, which `USUALLY` covers; it would leave no run improbable."""
QUANTILE = 1.28
"""Quantile of the normal distribution: the rate is the lower bound of an 80 % interval."""
YEARS_APART = 10
"""Years between a shop's false alarms, if sessions were independent given their hour."""
LIKELIEST, UNLIKELIEST = 1e-5, 1e-9
"""Bounds of the probability that fires the alarm."""
DOUBT = 1e-3
"""Below this probability, `hold` pauses sending until an order arrives or the alarm fires."""
USUALLY = 10.0
"""The fewest orders that would usually have arrived by now: a burst of sessions within minutes isn't enough."""

Level = Literal["fine", "doubtful", "stopped", "never"]


class Hour(NamedTuple):
    """The sessions that reached the checkout within one hour, and how many of them have ordered."""

    checkouts: int
    orders: int


class Usual(NamedTuple):
    """How often a session at the checkout orders: a mean, and the correlation between sessions of the same hour."""

    rate: float
    correlation: float


@dataclass(frozen=True, slots=True)
class Past:
    """The counts of the last days."""

    hours: Sequence[Hour]
    """Oldest first."""
    delays: Mapping[int, int]
    """Orders by `delay_step` of the time since their session reached the checkout."""
    arrivals: Sequence[Sequence[int]]
    """Orders that arrived in each hour (UTC) of each full day, the latest day first."""
    most_a_day: int
    """Orders of the best day."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The meaning of a run of sessions without an order."""

    level: Level
    run: int
    """Sessions that had the time to order."""
    rate: float
    """The share of them that usually orders, at least."""
    chance: float
    """The probability of such a run."""


def delay_step(delay_ms: int) -> int:
    """Return the step in which a delay is counted."""
    return int(STEPS_IN_OCTAVE * log(max(1, delay_ms)) / log(2) + 1e-9)


def usual_delay_ms(past: Past) -> int:
    """Return the time within which nearly all orders arrive, measured from the checkout."""
    total = sum(past.delays.values())
    if total < FEWEST_ORDERS:
        return ASSUMED_DELAY_MS
    so_far = 0
    for step in sorted(past.delays):
        so_far += past.delays[step]
        if so_far >= DELAYED * total:
            return int(2 ** ((step + 1) / STEPS_IN_OCTAVE)) + 1
    return ASSUMED_DELAY_MS


def usual(past: Past) -> Usual | None:
    """Return how often sessions order, on the low side; None if the past has too few orders."""
    hours = [Hour(hour.checkouts, min(hour)) for hour in past.hours if hour.checkouts > 0]
    checkouts, orders = sum(hour.checkouts for hour in hours), sum(hour.orders for hour in hours)
    if orders < FEWEST_ORDERS or checkouts <= 0:
        return None
    mean = min(orders / checkouts, 0.99)
    found = _correlation(hours, mean)
    correlation = _bounded(found, mean)
    inflated = sum(hour.checkouts * (1 + (hour.checkouts - 1) * correlation) for hour in hours)
    low = DELAYED * _lower_bound(mean, checkouts**2 / inflated)
    return Usual(low, _bounded(found, low))


def log_chance(run: int, usually: Usual) -> float:
    """Return the logarithm of the probability that none of `run` sessions of one hour orders (beta-binomial)."""
    size = (1 - usually.correlation) / usually.correlation
    buys, leaves = usually.rate * size, (1 - usually.rate) * size
    return lgamma(leaves + run) - lgamma(leaves) + lgamma(size) - lgamma(size + run) if buys > 0 else 0.0


def run_for(chance: float, usually: Usual) -> int:
    """Return the shortest run that is at most this probable."""
    low, high = 0, 1
    while log_chance(high, usually) > log(chance):
        low, high = high, 2 * high
        if high > 2**40:
            return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if log_chance(middle, usually) > log(chance) else (low, middle)
    return high


def usually_by_now(past: Past, since_ms: int, until_ms: int) -> float:
    """Return how many orders usually arrive between two moments (Unix ms), by the hours of the days before.

    Infinity: there is no full day yet.
    """
    days = [day for day in past.arrivals if sum(day) > 0]
    if not days:
        return inf
    hour_ms = 3_600_000
    expected, at = 0.0, since_ms
    # Longer spans carry no more information than one day.
    until_ms = min(until_ms, since_ms + HOURS * hour_ms)
    while at < until_ms:
        ends = min(until_ms, (at // hour_ms + 1) * hour_ms)
        mean = sum(day[at // hour_ms % HOURS] for day in days) / len(days)
        expected += mean * (ends - at) / hour_ms
        at = ends
    return expected


def alarm_chance(past: Past) -> float:
    """Return the probability below which a run fires the alarm. Each order begins a new run."""
    return min(LIKELIEST, max(UNLIKELIEST, 1 / (YEARS_APART * 365 * max(1, past.most_a_day))))


def judge(past: Past, *, run: int, last_ms: int, until_ms: int) -> Verdict:
    """Return the verdict on the run of sessions since the last order (Unix ms; 0: there was none), as of `until_ms`."""
    known = usual(past)
    usually = known or Usual(DELAYED * ASSUMED_RATE, _bounded(0.0, DELAYED * ASSUMED_RATE))
    chance = log_chance(run, usually)

    def verdict(level: Level) -> Verdict:
        return Verdict(level, run, usually.rate, exp(max(chance, -700.0)))

    if chance < log(alarm_chance(past)) and (not last_ms or usually_by_now(past, last_ms, until_ms) >= USUALLY):
        return verdict("stopped" if last_ms else "never")
    return verdict("doubtful" if known and last_ms and chance < log(DOUBT) else "fine")


def _correlation(hours: Sequence[Hour], mean: float) -> float:
    """Return the estimated correlation within an hour, by the method of moments."""
    number, total = len(hours), sum(hour.checkouts for hour in hours)
    room = total - sum(hour.checkouts**2 for hour in hours) / total - (number - 1)
    if number < 2 or room <= 0:  # noqa: PLR2004 - one hour isn't enough
        return 0.0
    spread = sum(hour.checkouts * (hour.orders / hour.checkouts - mean) ** 2 for hour in hours)
    return (spread / (mean * (1 - mean)) - (number - 1)) / room


def _bounded(correlation: float, rate: float) -> float:
    odds = rate / (1 - rate)
    return min(max(correlation, LEAST_SPREAD**2 * odds), MOST_SPREAD**2 * odds)


def _lower_bound(share: float, number: float) -> float:
    """Return the lower end of Wilson's score interval."""
    square = QUANTILE**2
    centre = share + square / (2 * number)
    margin = QUANTILE * sqrt(share * (1 - share) / number + square / (4 * number**2))
    return (centre - margin) / (1 + square / number)
