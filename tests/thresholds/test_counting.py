"""Counting with difference arrays gives the numbers that the definitions give."""

from random import Random

import pytest

from tests.support.counted_directly import cases_of, directly
from thresholds.closed_hours import ALWAYS_OPEN, ClosedHours
from thresholds.contacts import Counting, Period, count
from thresholds.grid import DAY_MS, GRID, HOUR_MS, MINUTE_MS
from thresholds.silences import Claim, Silences

BEGIN_MS = 20_500 * DAY_MS
DAYS = 4
HORIZONS = (10 * MINUTE_MS, HOUR_MS, DAY_MS)


def moment(random: Random, first_ms: int, last_ms: int) -> int:
    """Return a moment, often one at which a comparison could be wrong by one."""
    exact = first_ms + random.choice(GRID) + random.choice((0, *HORIZONS)) + random.choice((-1, 0, 0, 1))
    return exact if random.random() < 0.5 and exact <= last_ms else random.randint(first_ms, last_ms)


def shop(random: Random) -> Silences:
    """Return the silences of a few sessions, with closed hours, contacts and people held out in some of them."""
    nights = [(BEGIN_MS + day * DAY_MS - 3 * HOUR_MS, BEGIN_MS + day * DAY_MS + 8 * HOUR_MS) for day in range(DAYS + 1)]
    silences = Silences(closed=random.choice([(ALWAYS_OPEN,), (ALWAYS_OPEN, ClosedHours(nights))]))
    last_ms = BEGIN_MS + DAYS * DAY_MS
    for session in range(random.randint(1, 12)):
        # Some contacts are made exactly at midnight.
        at_ms = random.choice((random.randint(BEGIN_MS, last_ms), BEGIN_MS + DAY_MS - random.choice(GRID)))
        group, clock = random.randrange(3), random.randrange(len(silences.closed))
        while at_ms < last_ms:
            end_ms = moment(random, at_ms, last_ms) if random.random() < 0.8 else 0
            row = silences.add(session, at_ms, end_ms, rank=random.randrange(12), group=group, clock=clock)
            silences.order[row] = moment(random, at_ms, last_ms) if random.random() < 0.3 else 0
            if random.random() < 0.1:
                silences.claims[row] = Claim(moment(random, at_ms, end_ms or last_ms), held_out=random.random() < 0.5)
            if not end_ms:
                break
            at_ms = end_ms + random.randint(0, HOUR_MS)
    return silences


def waits_of(random: Random) -> dict[int, int]:
    return {rank: random.choice((*GRID, 10 * DAY_MS)) for rank in range(12)}


def period_of(random: Random) -> Period:
    first_ms, last_ms = BEGIN_MS + random.randint(0, DAY_MS), BEGIN_MS + DAYS * DAY_MS
    return Period(first_ms, last_ms, (BEGIN_MS + 2 * DAY_MS) // DAY_MS)


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("seed", range(60))
def test_counts_are_those_of_the_definitions(seed: int, most: int) -> None:
    random = Random(seed)
    silences, period, waits = shop(random), period_of(random), waits_of(random)
    found = cases_of(count(silences, period, waits, HORIZONS, max_per_session=most))
    assert found == directly(silences, period, waits, HORIZONS, most)


@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("seed", range(40))
def test_other_thresholds_in_force_change_all_counts(seed: int, most: int) -> None:
    random = Random(seed)
    silences, period, first, then = shop(random), period_of(random), waits_of(random), waits_of(random)
    counting = Counting(silences, period, HORIZONS, max_per_session=most)
    before = counting.counts(first)
    assert cases_of(counting.counts(then)) == directly(silences, period, then, HORIZONS, most)
    assert cases_of(before) == directly(silences, period, first, HORIZONS, most)
