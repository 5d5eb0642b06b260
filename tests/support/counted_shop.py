"""A session whose silences are counted by the hour."""

from collections import Counter
from dataclasses import replace

from state import silence_counters
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, Event, apply, arrived, event
from tests.support.silence_replay import METHOD
from tests.support.stored_state import now_ms, texts
from thresholds.grid import place
from worker.runtime import State

HOURLY = replace(METHOD, horizons_ms=[HOUR_MS])
AT_20, AT_30, AT_40, AT_60 = 12, 14, 16, 19
"""Numbers of thresholds shorter than these minutes."""


class Shop:
    """One session, counted by the hour; minutes are before now, or after it if negative."""

    def __init__(self, state: State) -> None:
        self.state, self.base_ms = state, now_ms(state)
        silence_counters.record(state.scripts, state.keys, HOURLY)

    def happens(self, minutes_ago: float, made: Event | None = None, *, occurred_ago: float | None = None) -> None:
        more = {} if occurred_ago is None else {"occurred_at": (self.base_ms - occurred_ago * MINUTE_MS) / 1000}
        at_ms = round(self.base_ms - minutes_ago * MINUTE_MS)
        apply(self.state, arrived((made or event(customer=JANE)) | more, at_ms))

    def counted(self) -> dict[str, int]:
        """Return the counters that aren't zero, with the noted silences, which a claim or an order will count."""
        total: Counter[str] = Counter()
        for entry in texts(self.state, self.state.keys.session("s-1")).get("tune", "").split()[1:]:
            _, _, low, gap = map(int, entry.split(":"))
            for what, start in (("n", int(low)), ("r", max(low, place(gap - HOUR_MS)))):
                if start < place(gap):
                    total[f"{what}.{start}"] += 1
                    total[f"{what}.{place(gap)}"] -= 1
        for key in self.state.client.scan_iter("*:tune:*"):
            for name, number in texts(self.state, key.decode()).items():
                if name != "horizons":
                    total[name.replace(str(HOUR_MS), "")] += int(number)
        return {name: number for name, number in total.items() if number}


def range_of(what: str, low: int, high: int) -> dict[str, int]:
    return {f"{what}.{low}": 1, f"{what}.{high}": -1}
