"""`winback simulate` with one candidate besides the settings in force, and with 20, on the recording of tuning.py."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure, Goal, ratio
from bench.progress import say
from bench.winback import tuning

PART = "own: candidates on a recording"
EVENTS = 100_000
CANDIDATES = 20


def measure(*, quick: bool = False, rounds: int = 3) -> list[Figure]:
    events, one, many = 20_000 if quick else EVENTS, list[float](), list[float]()
    with TemporaryDirectory() as directory:
        file = Path(directory) / "recording.jsonl"
        tuning.write(file, events)
        for _ in range(1 if quick else rounds):
            say(f"winback simulate, {events:,} events")
            one.append(simulated(file, 1))
            many.append(simulated(file, CANDIDATES))
    goal = None if quick else Goal("<=", 2)
    return [
        Figure(PART, f"processor time of `winback simulate`, {events:,} events, one candidate", tuple(one), "s"),
        Figure(PART, f"the same, {CANDIDATES} candidates", tuple(many), "s"),
        ratio(PART, f"{CANDIDATES} candidates, against one", many, one, goal),
    ]


def simulated(file: Path, candidates: int) -> float:
    """Return the processor time (s) with this many thresholds at the checkout."""
    grid = "detection.idle.checkout=" + ",".join(f"{minutes}m" for minutes in range(5, 5 + candidates))
    command = [sys.executable, "-m", "winback", "simulate", str(file), "--grid", grid, "--json"]
    before = os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
