"""The statistics of the report, against published figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winback.operations.lift import Group, Interval, compare, katz, newcombe, wilson

GROUPS = st.integers(1, 10_000).flatmap(lambda n: st.builds(Group, st.just(n), st.integers(0, n)))


# Newcombe (1998), Two-sided confidence intervals for the single proportion, Statistics in Medicine 17, table I.
@pytest.mark.parametrize(
    ("orders", "people", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_one_rate_is_the_published_one(orders: int, people: int, low: float, high: float) -> None:
    assert wilson(Group(people, orders)) == pytest.approx((low, high), abs=5e-5)


# Newcombe (1998), the paper on differences, table II, method 10.
@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((70, 56), (80, 48), 0.0524, 0.3339),
        ((10, 9), (10, 3), 0.1705, 0.8090),
        ((7, 6), (7, 2), 0.0582, 0.8062),
        ((56, 5), (29, 0), -0.0381, 0.1926),
        ((10, 0), (20, 0), -0.1611, 0.2775),
        ((10, 0), (10, 0), -0.2775, 0.2775),
        ((10, 10), (20, 0), 0.6791, 1.0000),
        ((10, 10), (10, 0), 0.6075, 1.0000),
    ],
)
def test_the_interval_of_a_difference_is_the_published_one(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    assert newcombe(Group(*one), Group(*other)) == pytest.approx((low, high), abs=5e-5)


def test_the_interval_of_a_ratio_is_the_published_one() -> None:
    """Heart attacks in the Physicians' Health Study: Agresti, Categorical Data Analysis, gives 1.82 (1.43 to 2.30)."""
    ratio, interval = katz(Group(11_034, 189), Group(11_037, 104))
    assert (ratio, *interval) == pytest.approx((1.82, 1.43, 2.30), abs=1e-2)


def test_clear_difference_is_reported() -> None:
    found = compare(Group(1000, 150), Group(1000, 100))
    assert found.difference == pytest.approx(0.05)
    assert found.difference_interval is not None
    assert found.difference_interval.low > 0
    assert found.lift == pytest.approx(0.5)
    assert found.lift_interval is not None
    assert found.lift_interval.low == pytest.approx(0.183, abs=5e-4)


@pytest.mark.parametrize(
    ("contacted", "holdout"),
    [((49, 20), (1000, 100)), ((1000, 100), (49, 20)), ((1000, 2), (1000, 2)), ((0, 0), (0, 0))],
)
def test_too_few_people_give_no_comparison(contacted: tuple[int, int], holdout: tuple[int, int]) -> None:
    found = compare(Group(*contacted), Group(*holdout))
    assert (found.difference, found.difference_interval, found.lift, found.lift_interval) == (None,) * 4


@pytest.mark.parametrize(("contacted", "holdout"), [((100, 101), (100, 5)), ((100, 5), (100, 101))])
def test_more_orders_than_people_give_no_comparison(contacted: tuple[int, int], holdout: tuple[int, int]) -> None:
    assert compare(Group(*contacted), Group(*holdout)).difference is None


def test_a_ratio_needs_some_orders_in_both_groups() -> None:
    found = compare(Group(1000, 100), Group(100, 4))
    assert found.difference_interval is not None
    assert found.lift is None
    assert compare(Group(1000, 100), Group(100, 5)).lift is not None


@given(GROUPS, GROUPS)
def test_interval_contains_the_observation_and_stays_in_bounds(one: Group, other: Group) -> None:
    low, high = wilson(one)
    assert 0 <= low <= (one.rate or 0) <= high <= 1
    low, high = newcombe(one, other)
    assert -1 - 1e-9 <= low <= (one.rate or 0) - (other.rate or 0) <= high <= 1 + 1e-9


@given(GROUPS, GROUPS)
def test_swapping_the_groups_turns_the_difference_round(one: Group, other: Group) -> None:
    low, high = newcombe(one, other)
    assert newcombe(other, one) == pytest.approx(Interval(-high, -low))
