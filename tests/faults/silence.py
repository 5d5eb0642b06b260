"""I6, never silent: if an outreach stalled for longer than it should, an alarm was firing in that time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from state.decisions import OutreachRecord
from worker.monitoring.alarms import ALARM, ALARM_RESOLVED

LONGEST_MS = 20_000
"""How long detection and sending can stall without an alarm: five intervals, at least ten seconds, after a start or an
outage during which the roles aren't checked yet."""
_SERVER = "server"


@dataclass(frozen=True, slots=True)
class Alarm:
    """The start and end of an alarm (Unix ms)."""

    about: str
    from_ms: float
    until_ms: float = float("inf")


def alarms_in(log: Sequence[tuple[float, str, str]]) -> list[Alarm]:
    """Return the alarms of all processes from their log: when (s), the role, the line."""
    open_: dict[str, float] = {}
    found: list[Alarm] = []
    for at, role, line in log:
        said = _said(line)
        about = said.get("alarm", "")
        # While the server is down, each process reports this on its own.
        key = f"{about} {role}" if about == _SERVER else about
        if said.get("event") == ALARM:
            open_.setdefault(key, at * 1000)
        elif said.get("event") == ALARM_RESOLVED and key in open_:
            found.append(Alarm(key, open_.pop(key), at * 1000))
    return found + [Alarm(key, since) for key, since in open_.items()]


def silent_stops(record: OutreachRecord, silent_since_ms: float, alarms: Sequence[Alarm]) -> Iterator[str]:
    """Yield the times in which an outreach stalled without an alarm.

    `silent_since_ms`: its session's last event before the claim (Unix ms).
    """
    lines_ms = [line.at_ms for line in record.history]
    # An ended outreach keeps a claim time from a clock that was ahead. The first line has the real one.
    claimed_ms = min([record.claimed_ms, *lines_ms[:1]])
    steps = [silent_since_ms + record.threshold_ms, claimed_ms, *lines_ms]
    for before, after in pairwise(steps):
        if after - before > LONGEST_MS and not any(one.from_ms < after and one.until_ms > before for one in alarms):
            still_s = (after - before) / 1000
            yield f"I6: outreach {record.outreach} stalled for {still_s:.0f} s, and no alarm was firing"


def _said(line: str) -> dict[str, str]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
