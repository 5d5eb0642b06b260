"""The total order of a session's events, as numbers that can be compared.

A sequence number is `occurred_at in ms * 100 + rank`. The rank orders events of the same millisecond: the stages in
flow order (each with its platform), then the kinds in registry order, then the purchase. It fits a double (below 2**53)
until the year 4800, so Lua compares it exactly.

A session keeps the highest sequence number of each of three sorts (activity, signal, purchase). Everything else follows
from these, in any order of arrival.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, NamedTuple, get_args

from detectors.flow import PLATFORMS, STAGES, EventType, Platform, Stage
from detectors.idle import IDLE
from detectors.kind import Kind
from detectors.registry import KINDS

if TYPE_CHECKING:
    from detectors.activity import ActivityEvent

SLOW_CLOCK_MS = 2 * 60 * 1000
"""How long before its arrival an event can have occurred and still show that the shopper was active at that moment."""
NO_DATE_MS = 946_684_800_000
"""2000-01-01. Times that systems write without a date, such as 0 or 1970-01-01, are earlier."""
FURTHEST_EXPIRY_MS = 30 * 24 * 3600 * 1000
"""The furthest voucher expiry that is believed."""

ACTIVITY_RANKS = len(STAGES) * len(PLATFORMS)
ACTIVITY_RANK: dict[tuple[Stage | None, Platform | None], int] = {
    pair: rank for rank, pair in enumerate(product(STAGES, PLATFORMS))
}
PURCHASE_RANK = 99
_STOPS = frozenset({"order_completed", "payment_pending", "opt_out"})
RANK_SPAN = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

# By type of event, last kind of the registry first: the first kind that recognises an event wins. IDLE recognises all.
KINDS_OF: dict[EventType, list[tuple[int, Kind]]] = {
    event_type: [
        (rank, kind)
        for rank, kind in reversed(list(enumerate(KINDS, ACTIVITY_RANKS)))
        if kind.begins_with == event_type or kind is IDLE
    ]
    for event_type in get_args(EventType)
}

# The names by which state tells a session's lane from its ranks: `checkout.web`, then the kinds.
RANK_NAMES: tuple[str, ...] = (
    *(f"{stage}.{platform}" for stage in STAGES for platform in PLATFORMS),
    *(kind.name for kind in KINDS),
)


class Position(NamedTuple):
    """The position of one event among the others of its session."""

    stamp: int
    """Sequence number of the event itself. Its customer and cart are merged by this."""
    activity: int = 0
    """Sequence number, if the event states its stage."""
    signal: int = 0
    """Sequence number of an exit, a declined or a pending payment, or of an event without a stage."""
    purchase: int = 0
    """Sequence number of an order."""
    silent_since_ms: int = 0
    """Unix ms from which silence is measured if no other event follows. 0: it moves nothing (an opt-out)."""
    seen_ms: int = 0
    """Unix ms at which the event shows that the shopper was active. 0: it doesn't (an opt-out)."""


def position(event: ActivityEvent, arrival_ms: int) -> Position:
    """Return an event's position. `arrival_ms` is the id of its stream entry, so redelivery gives the same result."""
    occurred_ms = _occurred_ms(event, arrival_ms)
    seen_ms = silent_ms = seen_at(occurred_ms, arrival_ms)
    base = occurred_ms * RANK_SPAN
    # 0 unless the event states both stage and platform.
    at = ACTIVITY_RANK.get((event.flow_stage, event.platform))
    activity = 0 if at is None else base + at
    if activity and event.type == "activity":
        # Nearly all events end here, and IDLE is the only kind that begins with an activity.
        return Position(activity, activity, 0, 0, silent_ms, seen_ms)
    if event.type == "order_completed":
        purchase = base + PURCHASE_RANK
        return Position(purchase, activity, purchase=purchase, silent_since_ms=silent_ms, seen_ms=seen_ms)
    if event.type == "opt_out":
        return Position(stamp=base + PURCHASE_RANK - 1)
    for rank, kind in KINDS_OF[event.type]:
        if kind.only_if(event):
            if kind.measure_from_expiry and event.expires_at is not None:
                silent_ms = min(max(epoch_ms(event.expires_at), silent_ms), arrival_ms + FURTHEST_EXPIRY_MS)
            signal = base + rank
            return Position(signal, activity, signal=signal, silent_since_ms=silent_ms, seen_ms=seen_ms)
    raise AssertionError("IDLE recognises every event")


def seen_at(occurred_ms: int, arrival_ms: int) -> int:
    """Return when an event shows that its shopper was active (Unix ms): its occurrence, or else its arrival.

    An event that arrives long after it occurred is late, or its clock is wrong. The shopper might be active now.
    """
    return occurred_ms if occurred_ms >= arrival_ms - SLOW_CLOCK_MS else arrival_ms


def stage_of(sequence: int) -> tuple[Stage, Platform]:
    """Return the stage and platform of an activity's sequence number."""
    rank = sequence % RANK_SPAN
    return STAGES[rank // len(PLATFORMS)], PLATFORMS[rank % len(PLATFORMS)]


def occurred_ms(sequence: int) -> int:
    """Return the Unix ms of a sequence number."""
    return sequence // RANK_SPAN


def _occurred_ms(event: ActivityEvent, arrival_ms: int) -> int:
    """Return when an event occurred, no later than its arrival.

    A time without a zone, or an invalid one, must not date back an event that stops a contact. Unless the time is
    credible, the event occurred on arrival.
    """
    moment = event.occurred_at
    if moment is None:
        return arrival_ms
    at_ms = min(epoch_ms(moment), arrival_ms)
    unreliable = moment.tzinfo is None or at_ms < NO_DATE_MS
    if unreliable and (event.type in _STOPS or event.refuses or event.empties):
        return seen_at(at_ms, arrival_ms)
    return at_ms


def epoch_ms(moment: datetime) -> int:
    """Return whole Unix ms. A moment without a zone is read as UTC, one before 1970 as the first millisecond."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    # Not 0, which means that there was no such event.
    return max(1, (moment - _EPOCH) // _MS)
