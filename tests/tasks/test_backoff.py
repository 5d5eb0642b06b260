from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.delivery.backoff import LONGEST_RETRY_AFTER, delay

BASE, CAP = timedelta(seconds=5), timedelta(minutes=15)
spans = st.timedeltas(timedelta(milliseconds=1), timedelta(days=1))
attempts = st.integers(1, 10_000)
seeds = st.integers().map(Random)


class _Highest(Random):
    def random(self) -> float:
        return 1 - 2**-53


class _Lowest(Random):
    def random(self) -> float:
        return 0.0


@given(attempts, spans, spans, seeds)
def test_delay_is_within_zero_and_the_doubled_base_or_cap(
    attempt: int, base: timedelta, cap: timedelta, random: Random
) -> None:
    waits = delay(attempt, base=base, cap=cap, random=random)
    assert timedelta(0) <= waits <= cap
    if attempt < 20:
        assert waits <= base * 2 ** (attempt - 1)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 5), (2, 10), (3, 20), (8, 640), (9, 900), (50, 900), (100, 900)])
def test_the_longest_delay_doubles_up_to_the_cap(attempt: int, seconds: int) -> None:
    assert delay(attempt, base=BASE, cap=CAP, random=_Highest()) == timedelta(seconds=seconds)


def test_the_jitter_is_full_so_the_shortest_delay_is_none() -> None:
    assert delay(8, base=BASE, cap=CAP, random=_Lowest()) == timedelta(0)


def test_simultaneous_failures_are_spread_over_the_whole_delay() -> None:
    random = Random(1)
    waits = [delay(4, base=BASE, cap=CAP, random=random) / timedelta(seconds=40) for _ in range(400)]
    for quarter in range(4):
        assert sum(quarter / 4 <= wait < (quarter + 1) / 4 for wait in waits) > 60


@given(attempts, seeds, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_it_is_never_earlier_than_the_server_asked_up_to_a_day(attempt: int, random: Random, asked: timedelta) -> None:
    waits = delay(attempt, base=BASE, cap=CAP, random=random, retry_after=asked)
    assert min(asked, LONGEST_RETRY_AFTER) <= waits <= max(CAP, LONGEST_RETRY_AFTER)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(None, 0), (timedelta(0), 0), (timedelta(seconds=-9), 0), (timedelta(seconds=7), 7), (timedelta.max, 24 * 3600)],
)
def test_what_the_server_asks_counts_within_bounds(asked: timedelta | None, seconds: int) -> None:
    assert delay(3, base=BASE, cap=CAP, random=_Lowest(), retry_after=asked) == timedelta(seconds=seconds)


def test_a_server_that_asks_for_less_does_not_shorten_the_delay() -> None:
    waits = delay(3, base=BASE, cap=CAP, random=_Highest(), retry_after=timedelta(seconds=1))
    assert waits == timedelta(seconds=20)
