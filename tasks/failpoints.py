"""Failpoints: places at which a test can kill or freeze a process, to check that its work is resumed.

Off, at the cost of testing one name, unless the environment variable `WINBACK_CRASH_POINTS` names a directory. Then a
process that reaches a point looks there for a file with the point's name. The first process takes it, renames it to
`<point>.<its process id>`, and sends itself the signal named in the file (`KILL` or `STOP`).
"""

import os
import signal
from pathlib import Path
from typing import Final, Literal

VARIABLE: Final = "WINBACK_CRASH_POINTS"

Point = Literal[
    "events_read",
    "events_applied",
    "people_marked",
    "sweep_begins",
    "sweep_claimed",
    "outreaches_leased",
    "outreaches_enqueued",
    "outreach_taken",
    "outreach_fenced",
    "person_reserved",
    "request_sent",
    "reply_read",
    "person_released",
    "outreach_settled",
    "data_removed",
    "person_erased",
    "outcomes_read",
    "outcomes_added",
    "outcomes_removed",
    "webhook_accepted",
    "recording_written",
]

_directory: Final = os.environ.get(VARIABLE, "")


def reached(point: Point) -> None:
    """Report that a point is reached. Returns at once, later, or never."""
    if _directory:
        _meet(Path(_directory) / point)


def _meet(order: Path) -> None:
    taken = order.with_name(f"{order.name}.{os.getpid()}")
    try:
        order.rename(taken)
    except (FileNotFoundError, NotADirectoryError):
        return
    os.kill(os.getpid(), signal.Signals[f"SIG{taken.read_text(encoding='ascii')}"])
