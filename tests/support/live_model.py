"""What the scripts count of a session with one silence, in plain Python, and shops with a known effect of contacts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from thresholds.counters import CONTACTED, HELD_OUT, LiveCounters
from thresholds.grid import HOUR_MS, MINUTE_MS, SIZE, place

NEVER_MS = 10**12
WAIT_MS = 15 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Silence:
    """All times are ms after its begin."""

    natural: int
    """When the shopper would return without a contact."""
    end: int
    """When they do."""
    at: int = 0
    """When they are contacted or held out; 0: neither."""
    held_out: bool = False


def shop(random: Random, sessions: int, *, holdout: float, effect: float = 0.3) -> list[Silence]:
    """Return silences. A third of the contacts wait for hours, and other rules than the holdout stop a fifth.

    Shoppers that other rules stop return sooner. `effect`: the part of those contacted who return because of it.
    """
    found = []
    for _ in range(sessions):
        stopped = random.random() < 0.2
        returns = random.random() < (0.8 if stopped else 0.5)
        mean_ms = (20 if stopped else 60) * MINUTE_MS
        natural = round(random.weibullvariate(mean_ms, 0.7)) + 1 if returns else NEVER_MS
        at = WAIT_MS + (round(random.uniform(0, 4) * HOUR_MS) if random.random() < 1 / 3 else 1)
        if natural <= at or stopped:
            found.append(Silence(natural, natural))
        elif random.random() < holdout:
            found.append(Silence(natural, natural, at, held_out=True))
        else:
            caused = at + round(random.expovariate(1 / (20 * MINUTE_MS))) if random.random() < effect else NEVER_MS
            found.append(Silence(natural, min(natural, caused), at))
    return found


def true_share(silences: Iterable[Silence], threshold_ms: int, horizon_ms: int) -> float:
    """Return the share of contacts at a threshold that would have returned within the horizon by themselves."""
    natural = [one.natural for one in silences if one.natural > threshold_ms]
    return sum(moment <= threshold_ms + horizon_ms for moment in natural) / len(natural)


def counters(
    silences: Sequence[Silence], rank: int, horizons: Sequence[int], *, day: int, groups: int
) -> list[LiveCounters]:
    """Return the counters of one day, of as many groups of sessions."""
    found: list[Counter[str]] = [Counter() for _ in range(groups)]
    for number, one in enumerate(silences):
        count(found[number % groups], one, horizons)
    return [LiveCounters(day, rank, group, tuple(horizons), numbers) for group, numbers in enumerate(found)]


def count(into: Counter[str], one: Silence, horizons: Sequence[int]) -> None:
    """Count a silence as the scripts do."""

    def add(what: str, low: int, high: int) -> None:
        if low < high:
            into[f"{what}.{low}"] += 1
            if high < SIZE:
                into[f"{what}.{high}"] -= 1

    high = place(one.end)
    add("n", 0, high)
    if one.at:
        into[HELD_OUT if one.held_out else CONTACTED] += 1
    for horizon in horizons:
        known = place(one.at - horizon + 1) if one.at else 0
        if one.at:
            add(f"{'h' if one.held_out else 's'}{horizon}", known, high)
        if one.held_out or not one.at:
            add(f"{'g' if one.held_out else 'r'}{horizon}", max(known, place(one.end - horizon)), high)


def specified(silences: Sequence[Silence], threshold_ms: int, horizon_ms: int) -> float:
    """Return the share by another formula: all claims without a contact count as held out."""
    early = [one for one in silences if one.end <= WAIT_MS and one.end > threshold_ms]
    claimed = [one for one in silences if one.end > WAIT_MS and one.end > threshold_ms]
    held = [one for one in claimed if one.held_out or not one.at]
    back = sum(one.end <= threshold_ms + horizon_ms for one in early)
    back_held = sum(one.end <= threshold_ms + horizon_ms for one in held)
    if threshold_ms >= WAIT_MS:
        return back_held / len(held)
    return (back + back_held * len(claimed) / len(held)) / (len(early) + len(claimed))
