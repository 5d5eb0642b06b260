"""`winback tune` on a recording of a month: its time and memory, with reading the file.

The recording is the benches' shop (bench/shop_log.py) every six hours, with other sessions each day.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.figures import Figure, Goal
from bench.progress import say
from bench.shop_log import shop_log

PART = "own: thresholds from a recording"
EVENTS = 1_000_000
CHUNKS = 112
"""Of six hours each: 28 days."""
_CHUNK_MS = 6 * 3600 * 1000
_BEGIN_MS = 1_772_452_800_000  # 2026-03-02T12:00Z
_RUN = """
import resource, subprocess, sys
command = [sys.executable, "-m", "winback", "tune", sys.argv[1], "--json"]
code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
assert code in {0, 1}, code  # 1: no threshold keeps the target
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
"""A process of its own: what a parent has waited for is only known as a whole."""


def measure(*, quick: bool = False, rounds: int = 3, events: int = EVENTS, part: str = PART) -> list[Figure]:
    has_goals = events == EVENTS
    events, found = 20_000 if quick else events, list[tuple[float, ...]]()
    with TemporaryDirectory() as directory:
        file = Path(directory) / "recording.jsonl"
        write(file, events)
        for _ in range(1 if quick else rounds):
            say(f"winback tune, {events:,} events")
            found.append(tuned(file))
    clock_s, processor_s, memory_mb = zip(*found, strict=True)
    named = f"{events:,} events"
    return [
        Figure(part, f"time of `winback tune`, {named}", clock_s, "s", Goal("<=", 10) if has_goals else None),
        Figure(part, f"its processor time, {named}", processor_s, "s"),
        Figure(part, f"its memory, {named}", memory_mb, "MB", Goal("<=", 300) if has_goals else None),
    ]


def tuned(file: Path) -> tuple[float, float, float]:
    """Return the time, the processor time (s) and the most memory (MB) of `winback tune`."""
    began = perf_counter()
    run = subprocess.run([sys.executable, "-c", _RUN, file], stdout=subprocess.PIPE, check=True, text=True)
    processor_s, memory_kb = run.stdout.split()
    return perf_counter() - began, float(processor_s), int(memory_kb) / 1024


def write(file: Path, events: int) -> None:
    """Write a recording of this many events."""
    of_chunk = events // CHUNKS
    with file.open("w", encoding="utf-8") as recording:
        for chunk in range(CHUNKS):
            log = shop_log(of_chunk // 10, of_chunk, ends_ms=_BEGIN_MS + chunk * _CHUNK_MS, seed=chunk)
            prefix, area = f"{chunk // 4:03d}_", f"+57{310 + chunk // 4 % 10}"
            recording.writelines(logged.line.replace("sess_", prefix).replace("+57300", area) + "\n" for logged in log)
