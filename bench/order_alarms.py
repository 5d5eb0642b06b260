"""How often a shop with working order events gets the alarm that they stopped, and how soon a shop that needs it does.

    python -m bench.order_alarms [days]

Synthetic shops, seeded: nights, hours with more and fewer sales, campaigns with many people who don't buy, and robots
that walk through the checkout. Prints one row per shop, for `docs/guides/order-hooks.md`.
"""

import sys
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import cos, exp, pi
from random import Random

from detectors.order_flow import DOUBT, Hour, Past, alarm_chance, delay_step, judge, run_for, usual, usual_delay_ms

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
KEPT_HOURS = 8 * 24


@dataclass(frozen=True)
class Shop:
    checkouts_a_day: int
    rate: float
    """The share of sessions at the checkout that order."""
    rhythm: float = 0.8
    """How much quieter than the day the night is."""
    uneven: float = 0.15
    """How much the rate varies from hour to hour (standard deviation by mean)."""
    campaigns_a_week: float = 2.0
    robots_a_week: float = 2.0
    delay_median_ms: int = 150_000
    delay_spread: float = 0.8


@dataclass
class Log:
    """The events, as the state keeps them."""

    checkouts: list[int] = field(default_factory=list)
    arrivals: list[tuple[int, int]] = field(default_factory=list)
    """When each order arrived, and when its session had reached the checkout."""


def happen(shop: Shop, days: int, random: Random) -> Log:
    log = Log()
    for hour in range(24 * days):
        quiet = 1 - shop.rhythm * (1 + cos(2 * pi * (hour % 24 - 3) / 24)) / 2
        number = shop.checkouts_a_day / 24 * quiet / (1 - shop.rhythm / 2)
        rate = min(0.98, shop.rate * (0.85 + 0.15 * quiet) * exp(random.gauss(-(shop.uneven**2) / 2, shop.uneven)))
        _visit(log, shop, random, start=hour * HOUR_MS, span=HOUR_MS, number=number, rate=rate)
        if random.random() < shop.campaigns_a_week / 168:
            _visit(log, shop, random, start=hour * HOUR_MS, span=HOUR_MS // 2, number=4 * number, rate=rate / 2)
        if random.random() < shop.robots_a_week / 168:
            start = hour * HOUR_MS + random.randrange(HOUR_MS)
            _visit(log, shop, random, start=start, span=180_000, number=60, rate=0.0)
    log.checkouts.sort()
    log.arrivals.sort()
    return log


def _visit(log: Log, shop: Shop, random: Random, *, start: int, span: int, number: float, rate: float) -> None:
    at = float(start)
    while number > 0:
        at += random.expovariate(number / span)
        if at >= start + span:
            return
        log.checkouts.append(int(at))
        if random.random() < rate:
            delay = shop.delay_median_ms * exp(random.gauss(0, shop.delay_spread))
            log.arrivals.append((int(at + delay), int(at)))


def pasts(log: Log) -> Iterator[tuple[int, Past]]:
    """Yield, for each hour, its beginning and the past at that time."""
    end = max(log.checkouts[-1], log.arrivals[-1][0]) // HOUR_MS + 2
    checkouts, orders, arrived = [0] * end, [0] * end, [0] * end
    delays: dict[int, int] = {}
    place = order = 0
    for hour in range(end):
        now = hour * HOUR_MS
        while place < len(log.checkouts) and log.checkouts[place] < now:
            checkouts[log.checkouts[place] // HOUR_MS] += 1
            place += 1
        while order < len(log.arrivals) and log.arrivals[order][0] < now:
            arrival, since = log.arrivals[order]
            orders[since // HOUR_MS] += 1
            arrived[arrival // HOUR_MS] += 1
            step = delay_step(arrival - since)
            delays[step] = delays.get(step, 0) + 1
            order += 1
        first = max(0, hour - KEPT_HOURS)
        today = hour // 24
        full = [arrived[24 * day : 24 * day + 24] for day in range(today - 1, max(-1, today - 8), -1)]
        most = max((sum(day) for day in [*full, arrived[24 * today : hour]]), default=0)
        yield (
            now,
            Past(
                [Hour(*pair) for pair in zip(checkouts[first:hour], orders[first:hour], strict=True)],
                delays,
                full,
                most,
            ),
        )


def false_alarms(log: Log) -> tuple[int, int]:
    """Return the number of alarms although all orders arrive, and how often sending would have waited in doubt."""
    alarms = doubts = 0
    orders = deque(arrival for arrival, _ in log.arrivals)
    last = 0
    hourly = list(pasts(log))
    for (now, past), (ends, _) in pairwise(hourly):
        delay = usual_delay_ms(past)
        while orders and now <= orders[0] < ends:
            until = orders.popleft() - 1
            run = bisect_right(log.checkouts, until - delay) - bisect_right(log.checkouts, last)
            if run > 0 and last:
                level = judge(past, run=run, last_ms=last, until_ms=until).level
                alarms += level == "stopped"
                doubts += level in {"stopped", "doubtful"}
            last = until + 1
    return alarms, doubts


def needed(log: Log) -> tuple[int, int, float]:
    """Return how many sessions without an order cause an alarm, and a doubt; and the usual delay in minutes."""
    *_, (_, past) = pasts(log)
    known = usual(past)
    assert known is not None
    return run_for(alarm_chance(past), known), run_for(DOUBT, known), usual_delay_ms(past) / 60_000


def main() -> None:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 365
    print(
        "checkouts a day | order | orders in all | false alarms | a year | doubts a day | "
        "sessions to an alarm | to a doubt"
    )
    for number, rate in ((100, 0.6), (100, 0.2), (1000, 0.6), (1000, 0.3), (1000, 0.1), (10_000, 0.6), (10_000, 0.2)):
        alarms = doubts = orders = 0
        seeds = range(10 if number < 1000 else 4 if number == 1000 else 1)
        for seed in seeds:
            log = happen(Shop(number, rate), days, Random(seed))
            found = false_alarms(log)
            alarms, doubts, orders = alarms + found[0], doubts + found[1], orders + len(log.arrivals)
        to_alarm, to_doubt, _ = needed(log)
        years = len(seeds) * days / 365
        print(
            f"{number:15,} | {rate:5.0%} | {orders:13,} | {alarms:12} | {alarms / years:6.2f} | "
            f"{doubts / years / 365:12.3f} | {to_alarm:20} | {to_doubt:10}",
            flush=True,
        )


if __name__ == "__main__":
    main()
