"""Replays the events of silent_shoppers.py into Redis, as if they arrived when they occurred, with sweeps between."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from detectors.flow import PLATFORMS, STAGES, Stage
from detectors.lanes import LANES
from detectors.sequence import RANK_NAMES, stage_of
from state import silence_counters
from state.calls import sessions as lua
from state.partitions import partition_of
from state.session_record import RANK_WIDTH
from state.silence_counters import Method
from tests.support.durations import DAY_MS
from tests.support.events import Event, apply, arrived, event
from tests.support.silent_shoppers import NEVER, START_MS
from tests.support.stored_state import now_ms, texts
from thresholds.counters import LiveCounters
from thresholds.grid import MINUTE_MS
from thresholds.observed import Observed
from worker.runtime import State

SHOPPER = {"full_name": "Jane Doe", "phone_number": "+573001234567", "country_code": "CO"}
CART = {"total_value": 20, "currency": "USD"}
RANKS = range(len(STAGES) * len(PLATFORMS))
METHOD = Method((), [False for _ in RANKS], ("idle", "exit"))
_NAMES = "".join(name.ljust(RANK_WIDTH) for name in RANK_NAMES).encode()
_AGELESS_MS = 10**13
_DAYS_AGO = 4


class Replay:
    """A shop whose outreaches are claimed. No shopper is contacted unless a test does it."""

    def __init__(self, state: State, horizons_ms: Iterable[int], waits: Mapping[Stage, float] | None = None) -> None:
        """Prepare. Events are moved by whole days to recent ones. `waits`: in minutes, infinite if missing."""
        self.state = state
        self.shift_ms = (now_ms(state) // DAY_MS - _DAYS_AGO - START_MS // DAY_MS) * DAY_MS
        self._waits = {stage: round((waits or {}).get(stage, NEVER) * MINUTE_MS) for stage in STAGES}
        self._claims = 0
        self._named: set[str] = set()
        silence_counters.record(state.scripts, state.keys, replace(METHOD, horizons_ms=list(horizons_ms)))

    def take(self, one: Observed, **more: object) -> None:
        """Sweep the session's partition as of the moment of an event, then apply the event."""
        at_ms = one.at_ms + self.shift_ms
        self.sweep(partition_of(one.session), one.at_ms)
        apply(self.state, arrived(self._sent(one) | more, at_ms))

    def sweep(self, number: int, at_ms: int) -> list[str]:
        """Claim silences that have outlasted their threshold, and return the outreaches."""
        lanes = [
            {
                "name": lane.name,
                "before_ms": at_ms + self.shift_ms - self._waits[lane.stage] - 1,
                "wait_ms": self._waits[lane.stage],
                "reason": "",
                "measure_from_expiry": False,
                "checked_ms": 0,
            }
            for lane in LANES
        ]
        self._claims += 1
        start, key = f"{number:02d}-{self._claims:08x}", self.state.keys.partition(number)
        call = lua.claim(key, 100, _AGELESS_MS, json.dumps(lanes), start, _NAMES, "phone", "name")
        return list(self.state.scripts.run(call).outreaches)

    def counters(self) -> list[LiveCounters]:
        """Return what the scripts have counted; faster than `silence_counters.read` for few keys."""
        found = []
        for key in self.state.client.scan_iter(f"{self.state.keys.namespace}:*:tune:*"):
            name = key.decode()
            partition, _, rest = name.removeprefix(f"{self.state.keys.namespace}:{{").partition("}:tune:")
            day, _, rank = rest.partition(":")
            one = silence_counters.read_counters(int(day), int(rank), int(partition), texts(self.state, name))
            found.append(LiveCounters(*one))
        return found

    def _sent(self, one: Observed) -> Event:
        at_s = (one.at_ms + self.shift_ms) / 1000
        if one.is_order:
            return event("order_completed", one.session, None, occurred_at=at_s)
        stage, platform = stage_of(one.stamp)
        made = event("activity", one.session, stage, occurred_at=at_s) | {"platform": platform}
        if one.session in self._named:
            return made
        self._named.add(one.session)
        return made | {"customer": SHOPPER, "cart": CART}
