"""Mistakes that leave an event readable: totals, clocks and forms of time. Pure; no message repeats a value."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from detectors.activity import ActivityEvent, Cart
from detectors.reading.names import squash
from detectors.sequence import NO_DATE_MS, epoch_ms

Code = Literal["total_mismatch", "epoch_time", "no_time_zone", "clock_ahead", "clock_hours_off"]

AHEAD_MS = 5_000
"""How far ahead of its arrival an event may have occurred."""
_HALF_HOUR_MS = 30 * 60_000
_NEAR_MS = 2 * 60_000
_FURTHEST_ZONE_MS = 14 * 3_600_000
_LEAST_RATIO, _MOST_RATIO = 0.6, 1.5
"""Of the total to the sum of the items: taxes, shipping and discounts explain a total between these."""
_FEWEST_DIGITS = 9


class EventWarning(NamedTuple):
    """One mistake."""

    code: Code
    field: str
    message: str
    """As it completes the field."""
    effect: str


def warnings(event: ActivityEvent, document: object, arrival_ms: int) -> Iterator[EventWarning]:
    """Yield the mistakes of an event. `document`: its JSON, as the shop wrote it. `arrival_ms`: Unix ms."""
    written = _times(document)
    for field in ("occurred_at", "expires_at"):
        moment = getattr(event, field)
        if moment is None:
            continue
        if _is_number(written.get(squash(field))):
            effect = "it would be read as Unix time; write ISO 8601 with a time zone, like 2026-11-22T16:40:00Z"
            yield EventWarning("epoch_time", field, "is a number", effect)
        elif moment.tzinfo is None:
            yield EventWarning("no_time_zone", field, "has no time zone", "it would be read as UTC")
    if event.occurred_at is not None:
        yield from _clock(epoch_ms(event.occurred_at), arrival_ms)
    if event.cart is not None:
        yield from _total(event.cart)


def _times(document: object) -> dict[str, object]:
    if not isinstance(document, dict):
        return {}
    return {squash(name): value for name, value in document.items() if isinstance(value, int | float | str)}


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        text = value.strip().replace(".", "", 1)
        return text.isascii() and text.isdigit() and len(text) >= _FEWEST_DIGITS
    return isinstance(value, int | float) and not isinstance(value, bool)


def _clock(occurred_ms: int, arrival_ms: int) -> Iterator[EventWarning]:
    apart_ms = arrival_ms - occurred_ms
    hours = _hours_off(apart_ms) if occurred_ms >= NO_DATE_MS else ""
    where = "in the future" if apart_ms < 0 else "ago"
    if hours:
        effect = "check the clock and the time zone: a local time written as UTC is off by whole hours"
        yield EventWarning("clock_hours_off", "occurred_at", f"is {hours} h {where}, almost exactly", effect)
    elif apart_ms < -AHEAD_MS:
        message = f"is {-apart_ms // 1000} s in the future"
        yield EventWarning("clock_ahead", "occurred_at", message, "the arrival would count instead")


def _hours_off(apart_ms: int) -> str:
    """Return by how many hours a time is off if that is an offset of a time zone; empty if it isn't."""
    halves, rest_ms = divmod(abs(apart_ms) + _NEAR_MS, _HALF_HOUR_MS)
    is_offset = halves and rest_ms <= 2 * _NEAR_MS and abs(apart_ms) <= _FURTHEST_ZONE_MS + _NEAR_MS
    return f"{halves / 2:g}" if is_offset else ""


def _total(cart: Cart) -> Iterator[EventWarning]:
    """Compare the total with price by quantity, where each item has both."""
    items = cart.items or ()
    if not items or not cart.total_value or cart.is_empty:
        return
    total = 0.0
    for item in items:
        if item.price is None or item.quantity is None:
            return
        total += item.price * item.quantity
    if total > 0 and not _LEAST_RATIO <= cart.total_value / total <= _MOST_RATIO:
        message = f"is {cart.total_value / total:,.2g} times what the items add up to (price by quantity)"
        effect = "check the units of both; the total would be used as it is"
        yield EventWarning("total_mismatch", "cart.total_value", message, effect)
