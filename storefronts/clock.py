"""When something happened, by a clock that can be wrong."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from detectors.json_values import JsonValue
from detectors.normalize import moments

TOLERANCE = timedelta(seconds=2)
"""A clock that is wrong by less counts as right."""
LONGEST_DELAY = timedelta(minutes=2)
"""An arrival up to this long after the sending is a delay, such as a repeated request. Later, the clock is late."""


def moment(value: JsonValue) -> datetime | None:
    """Return a moment in UTC; None if the value is no moment. Without a zone, UTC counts."""
    if value is None:
        return None
    found = moments.moment(value)
    if found is None:
        return None
    if found.tzinfo is UTC:
        return found
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None


@lru_cache(maxsize=64)
def _of_batch(sent_at: str) -> datetime | None:
    """Return a moment that all items of a batch have."""
    return moment(sent_at)


def occurred(timestamp: JsonValue, received: datetime, *, sent_at: JsonValue = None) -> datetime:
    """Return the moment of an event in UTC, never later than `received`; without a timestamp, `received`.

    `sent_at` is the time of sending by the sender's clock. The difference to `received` corrects the timestamp, because
    both are of the same clock.
    """
    received, found, skew = received.astimezone(UTC), moment(timestamp), _skew(received, sent_at)
    if found is None:
        return received
    if skew <= -TOLERANCE or skew > LONGEST_DELAY:
        try:
            found += skew
        except OverflowError:
            return received
    return min(found, received)


def stopped(timestamp: JsonValue, received: datetime, *, sent_at: JsonValue = None) -> datetime:
    """Return the latest moment at which an event that stops a contact can have happened, as `occurred` does.

    If the clock can be wrong, that is the arrival. The time on the way differs between requests, so an order could
    otherwise be corrected to a moment before the payment that led to it.
    """
    if abs(_skew(received, sent_at)) >= TOLERANCE:
        return received.astimezone(UTC)
    return occurred(timestamp, received, sent_at=sent_at)


def _skew(received: datetime, sent_at: JsonValue) -> timedelta:
    sent = _of_batch(sent_at) if isinstance(sent_at, str) else moment(sent_at)
    return received - sent if sent else timedelta()


def written(value: datetime) -> str:
    """Return a moment as events have it: ISO 8601 in UTC, such as 2026-11-22T16:40:00Z."""
    return value.isoformat().replace("+00:00", "Z")
