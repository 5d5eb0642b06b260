"""`winback report --html` on a year of counters in all partitions, as a command, with its start."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.figures import Figure, Goal
from bench.progress import say
from detectors.flow import STAGES
from state.connection import connect
from state.keys import DAY_MS, Keys
from state.partitions import PARTITIONS
from worker.supervision.embedded_valkey import EmbeddedValkey

PART = "own: report"
DAYS = 365
_SUPPRESSED = ("holdout", "opted_out", "no_consent", "bought_recently", "cap", "below_minimum", "no_cart", "bot")
_MEASURES = {
    **dict.fromkeys(("sessions", "sent", *(f"suppressed.{reason}" for reason in _SUPPRESSED)), 20),
    **dict.fromkeys(("unreachable", "dead.http_422", "expired.too_old", "cancelled.came_back", "cancelled.paid"), 3),
    **dict.fromkeys(("recovered.orders", "recovered.COP", "control.orders", "control.COP"), 2),
}


def measure(*, quick: bool = False, rounds: int = 5) -> list[Figure]:
    days, taken = 30 if quick else DAYS, []
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        fields = fill(server.url, days)
        for _ in range(1 if quick else rounds):
            say(f"winback report, {days} days")
            taken.append(_reported(server.url, days, directory))
    goal = None if quick else Goal("<=", 3)
    name = f"time of `winback report --html`, {days} days, {PARTITIONS} partitions of {fields} counters a day"
    return [Figure(PART, name, tuple(taken), "s", goal)]


def fill(url: str, days: int) -> int:
    """Write every counter of a shop with one platform to all partitions; return how many a partition has a day."""
    counts = {f"{name}@{stage}.web": number for name, number in _MEASURES.items() for stage in STAGES}
    counts |= {f"silent.{stage}.web.{kind}": 50 for stage in STAGES for kind in ("idle", "exit")}
    counts |= {f"silent_hour.{hour:02d}": 9 for hour in range(24)}
    pairs = [part for pair in counts.items() for part in pair]
    client, keys = connect(url), Keys("winback")
    today = int(datetime.now(UTC).timestamp() * 1000) // DAY_MS
    for day in range(today - days + 1, today + 1):
        pipe = client.pipeline(transaction=False)
        for partition in range(PARTITIONS):
            pipe.hset(keys.stats(partition, day), items=pairs)
        pipe.execute()
    return len(counts)


def _reported(url: str, days: int, directory: str) -> float:
    command = [sys.executable, "-m", "winback", "report", "--since", f"{days}d", "--html", f"{directory}/report.html"]
    began = perf_counter()
    subprocess.run(command, check=True, env={**os.environ, "WINBACK_REDIS_URL": url})
    return perf_counter() - began
