"""`python -m tests.faults.soak`: a steady load, all faults at random, and a check of the results at the end.

Most events come from a fixed number of anonymous shoppers. In addition there are people who can be contacted, each with
a story that the checker knows. Memory is sampled all the time.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from rich.console import Console

from tests.faults.chaos import Chaos
from tests.faults.checker import Verdict, check
from tests.faults.crowd import Crowd
from tests.faults.fault import OR_UNKNOWN
from tests.faults.figures import MB_PARTS, keep_soak
from tests.faults.memory import Samples
from tests.faults.settings import POOL
from tests.faults.shop import STREAMS, THRESHOLD_S, Shop
from tests.faults.system import System

SHOPPERS = 5000
CROWD_THRESHOLD_S = 20.0
VISITS_A_SECOND = 10
ALLOWED = OR_UNKNOWN | {"dead"}
FLAT = 1.25
"""The highest ratio of a part's memory in the last quarter to the second: its normal needs are allocated by then."""
MB = 2**20


def main() -> int:
    """Run the requested soak; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=int, default=2200, help="events per second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pool", choices=("threads", "prefork"), default="threads", help="of the recover worker")
    parser.add_argument("--calm", action="store_true", help="without faults")
    parser.add_argument("--keep", action="store_true", help="write the figures into docs/")
    asked = parser.parse_args()
    console = Console(width=150)
    with (
        tempfile.TemporaryDirectory(prefix="winback-soak-") as directory,
        System(Path(directory) / "one", {POOL: asked.pool}) as system,
    ):
        figures = soak(system, asked, console)
    console.print_json(data=figures)
    if asked.keep:
        keep_soak(figures)
    return int(bool(figures["violations"]))


def soak(system: System, asked: argparse.Namespace, console: Console) -> dict[str, object]:
    """Run the shop, cause faults, and return the figures."""
    random = Random(asked.seed)
    system.thresholds(THRESHOLD_S, product_selection=CROWD_THRESHOLD_S)
    crowd = Crowd(system.server.url, rate=asked.rate, shoppers=SHOPPERS, seed=asked.seed)
    shop = Shop(system.server.url, random, "soak")
    chaos, samples = Chaos(system, random), Samples(system)
    crowd.start()
    began = time.monotonic()
    behind: list[int] = []
    while (left_s := began + 60 * asked.minutes - time.monotonic()) > 0:
        _trade(system, shop, min(left_s, random.uniform(2.0, 6.0)))
        samples.take()
        if not asked.calm:
            chaos.strike()
            console.print(f"{time.monotonic() - began:5.0f} s  {chaos.made[-1][1]}", highlight=False)
        behind.append(sum(map(system.redis.xlen, STREAMS)))
    lasted_s = time.monotonic() - began
    crowd.stop()
    ended = time.monotonic()
    verdict = _check(system, shop)
    for problem in verdict.violations:
        console.print(problem, markup=False, highlight=False, style="red")
    memory, grown = _memory(samples)
    return {
        "minutes": round(lasted_s / 60, 1),
        "events": crowd.told + sum(len(visit.told) for visit in shop.visits.values()),
        "events_a_second": round(crowd.told / lasted_s),
        "events_refused": crowd.untold,
        "faults": len(chaos.made),
        **_told_by(verdict),
        "outreaches": sum(1 for _ in system.redis.scan_iter("winback:{*}:outreach:*", count=1000)),
        "settled_after_s": round(time.monotonic() - ended, 1),
        "most_events_waiting": max(behind, default=0),
        "memory_mb_by_quarter": memory,
        "violations": len(verdict.violations) + len(grown),
        "grown": grown,
    }


def _trade(system: System, shop: Shop, for_s: float) -> None:
    """Let people with known stories arrive for a while, and wait until they are done."""
    shop.open(round(VISITS_A_SECOND * for_s), over_s=for_s)
    ends = time.monotonic() + for_s
    system.until(lambda: time.monotonic() > ends, 60)


def _told_by(verdict: Verdict) -> dict[str, object]:
    return {
        "sessions": verdict.sessions,
        "requests": verdict.requests,
        "contacts": verdict.contacts,
        "outcomes": dict(sorted(verdict.outcomes.items())),
        "duplicates": verdict.duplicates,
        "losses": verdict.losses,
    }


def _memory(samples: Samples) -> tuple[dict[str, list[float]], list[str]]:
    """Return the memory of each part in each quarter (MB), and the parts that kept growing."""
    memory = {name: [round(value / MB, 1) for value in samples.quarters(name)] for name in MB_PARTS}
    grown = [name for name, (_, second, *_, last) in memory.items() if name != "redis" and last > FLAT * second]
    return memory, grown


def _check(system: System, shop: Shop) -> Verdict:
    try:
        system.until(lambda: not shop.busy, 60, "the end of the shop's day")
        system.stays_settled(2.0, 120)
    except TimeoutError as exc:
        return Verdict(sessions=len(shop.visits), violations=[f"I2: stuck: {exc}"])
    finally:
        shop.close()
    return check(system, shop, allowed=ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
