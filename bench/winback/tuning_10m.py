"""`winback tune` on ten times the recording of bench/winback/tuning.py: whether its time is linear."""

from bench.figures import Figure
from bench.winback import tuning

PART = "own: thresholds from a long recording"


def measure(*, quick: bool = False) -> list[Figure]:
    return tuning.measure(quick=quick, rounds=1, events=10 * tuning.EVENTS, part=PART)
