"""A generated log of a shop in its busiest hour, always the same: the input of every bench.

The gaps between the events of a session are those of a real shop: log-normal with a median of 65 s, 90 % within 479 s.
Both figures are from the RetailRocket clickstream (its source: convert_retailrocket.py), where a session ends with half
an hour of silence: the 1.6 % of longer gaps are cut to that.

A hundred thousand sessions that begin within an hour make some 200 events per second, so 5 % of the thousand events of
a batch follow another one of their session. At the rates of a bench, there would be even fewer in a real shop: no
result with this log depends on merging events.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate
from math import log
from random import Random
from time import time
from typing import NamedTuple
from zlib import crc32

SESSIONS, EVENTS = 100_000, 1_000_000
GAP_MEDIAN_S, GAP_90_PERCENT_S = 65.0, 479.0
GAP_SIGMA = log(GAP_90_PERCENT_S / GAP_MEDIAN_S) / 1.2816  # the 90 % quantile of the normal distribution
GAP_LONGEST_S = 1800.0
BEGIN_WITHIN_S = 3600.0
EVENTS_BEFORE_LOGIN = 3
STAGES = ("product_selection",) * 7 + ("cart_review", "cart_review", "checkout")
"""A session's stage in each tenth of its events: forward through the flow, like a shopper."""
CART = {
    "total_value": 149.99,
    "currency": "COP",
    "items": [{"name": "Wireless Headphones", "sku": "WH-1000XM5", "quantity": 1, "price": 149.99}],
}


class Logged(NamedTuple):
    """An event, and when it occurred and arrived (Unix ms)."""

    at_ms: int
    event: dict[str, object]

    @property
    def entry_id(self) -> str:
        """Return an id for XADD, which the server completes.

        With the id of the current moment, an event of an hour ago would seem late, and its session would seem active
        until two minutes ago. A shop's real events don't do that.
        """
        return f"{self.at_ms}-*"

    @property
    def line(self) -> str:
        return json.dumps(self.event)

    def stream(self, several: int) -> int:
        """Return the stream of the event, of several."""
        return crc32(str(self.event["session_id"]).encode()) % several

    @property
    def entry(self) -> tuple[str, str]:
        """The id and content of its entry."""
        return self.entry_id, self.line


def shop_log(
    sessions: int = SESSIONS, events: int = EVENTS, *, ends_ms: int | None = None, seed: int = 1
) -> list[Logged]:
    """Return the events of this many sessions, by time. The last one is at `ends_ms`, now if not given.

    Everything but the times, which move as a whole, follows from `seed` and the sizes. The number of events of a
    session has a geometric distribution; each has at least one.
    """
    random = Random(seed)
    ends_ms = int(time() * 1000) if ends_ms is None else ends_ms
    found: list[tuple[int, int, int, int]] = []
    for session, count in enumerate(_counts(random, sessions, events)):
        at_s = random.random() * BEGIN_WITHIN_S
        for index in range(count):
            found.append((int(at_s * 1000), session, index, count))
            at_s += min(random.lognormvariate(log(GAP_MEDIAN_S), GAP_SIGMA), GAP_LONGEST_S)
    found.sort()
    shift = ends_ms - found[-1][0]
    return [
        Logged(ms + shift, _event(random, ms + shift, session, index, count)) for ms, session, index, count in found
    ]


def _counts(random: Random, sessions: int, events: int) -> Sequence[int]:
    counts = [1] * sessions
    weights = list(accumulate(random.expovariate(1) for _ in range(sessions)))
    for session in random.choices(range(sessions), cum_weights=weights, k=events - sessions):
        counts[session] += 1
    return counts


def _event(random: Random, ms: int, session: int, index: int, count: int) -> dict[str, object]:
    event: dict[str, object] = {
        "session_id": f"sess_{session:09x}",
        "type": "activity",
        "occurred_at": datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "flow_stage": STAGES[index * len(STAGES) // count],
        "platform": "web",
    }
    if random.random() < 0.15:
        event["cart"] = CART
    # A tenth of the shoppers is known from their fourth event on, and then with every event.
    if session % 10 == 0 and index >= EVENTS_BEFORE_LOGIN:
        phone = f"+57300{session:07d}"
        event["customer"] = {"full_name": "Jane Doe", "phone_number": phone, "country_code": "CO", "language": "es"}
    return event
