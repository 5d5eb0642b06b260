"""Measures whether contacts made a difference: compares two proportions, with 95 % intervals valid for small numbers.

- Of one proportion: the score interval of Wilson (1927), *Probable inference, the law of succession, and statistical
  inference*, JASA 22, 209-212.
- Of the difference: the hybrid score interval of Newcombe (1998), *Interval estimation for the difference between
  independent proportions: comparison of eleven methods*, Statistics in Medicine 17, 873-890, method 10.
- Of the ratio: the log interval of Katz, Baptista, Azen and Pike (1978), *Obtaining confidence intervals for the risk
  ratio in cohort studies*, Biometrics 34, 469-474.
"""

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import NamedTuple

Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""
FEWEST_PEOPLE = 50
FEWEST_ORDERS = 5
"""With fewer people in a group, or fewer orders in both groups together, nothing is reported. With fewer orders in one
of them, there is no ratio, because its interval depends on the logarithm of each."""

METHOD = (
    "difference of conversion with Newcombe's hybrid score interval (1998, method 10), lift as a ratio with the log "
    "interval of Katz et al. (1978); both 95 %"
)


class Interval(NamedTuple):
    """The lower and upper bound, both included."""

    low: float
    high: float


class Ratio(NamedTuple):
    """The ratio of two rates, and its interval."""

    value: float
    interval: Interval


class Group(NamedTuple):
    """A number of people, and how many of them ordered."""

    people: int
    orders: int

    @property
    def rate(self) -> float | None:
        """Return the share of people who ordered; None for an empty group."""
        return self.orders / self.people if self.people else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The contacted people compared with the holdout. Rates are parts of one."""

    contacted: Group
    holdout: Group
    difference: float | None
    """Of the conversions; None: too few people or orders."""
    difference_interval: Interval | None
    lift: float | None
    """The relative increase in orders by contacts: 0.5 is half as many again. None: too few people or orders."""
    lift_interval: Interval | None


def compare(contacted: Group, holdout: Group) -> Comparison:
    """Compare two groups, as far as their numbers permit."""
    enough = min(contacted.people, holdout.people) >= FEWEST_PEOPLE
    # Counters around midnight, or damaged ones, can have orders without their people: such a rate has no interval.
    enough = enough and contacted.orders <= contacted.people and holdout.orders <= holdout.people
    if not enough or contacted.orders + holdout.orders < FEWEST_ORDERS:
        return Comparison(contacted, holdout, None, None, None, None)
    difference = contacted.orders / contacted.people - holdout.orders / holdout.people
    if min(contacted.orders, holdout.orders) < FEWEST_ORDERS:
        return Comparison(contacted, holdout, difference, newcombe(contacted, holdout), None, None)
    ratio, (low, high) = katz(contacted, holdout)
    interval = Interval(low - 1, high - 1)
    return Comparison(contacted, holdout, difference, newcombe(contacted, holdout), ratio - 1, interval)


def wilson(group: Group) -> Interval:
    """Return the interval of a group's rate; the group can't be empty."""
    people, rate = group.people, group.orders / group.people
    centre = (rate + Z**2 / (2 * people)) / (1 + Z**2 / people)
    half = Z / (1 + Z**2 / people) * sqrt(rate * (1 - rate) / people + Z**2 / (4 * people**2))
    # Exact at the ends, where rounding would cause a tiny error.
    return Interval(0.0 if group.orders == 0 else centre - half, 1.0 if group.orders == group.people else centre + half)


def newcombe(one: Group, other: Group) -> Interval:
    """Return the interval of the difference of two rates, `one` minus `other`."""
    p, q = one.orders / one.people, other.orders / other.people
    (p_low, p_high), (q_low, q_high) = wilson(one), wilson(other)
    low = p - q - sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    return Interval(low, p - q + sqrt((p_high - p) ** 2 + (q - q_low) ** 2))


def katz(one: Group, other: Group) -> Ratio:
    """Return the ratio of two rates, `one` divided by `other`, and its interval; both groups must have orders."""
    ratio = (one.orders / one.people) / (other.orders / other.people)
    half = Z * sqrt(1 / one.orders - 1 / one.people + 1 / other.orders - 1 / other.people)
    return Ratio(ratio, Interval(exp(log(ratio) - half), exp(log(ratio) + half)))
