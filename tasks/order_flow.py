"""The check whether orders still arrive. It runs before each sweep, so that an alarm precedes the first contact."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from detectors.order_flow import Hour, Past, judge, usual_delay_ms
from detectors.settings import DetectionSettings
from state.orders import Counts, OrderFlow

if TYPE_CHECKING:
    from tasks.deps import Deps

FEWEST = 5
"""The fewest sessions since the last order that justify a check."""
HINT = (
    "send a test order and follow its event; send the missing orders (winback event emit FILE), "
    "see docs/guides/order-hooks.md"
)
ABOUT = "orders"
"""The subject of the alarm."""
ALARM_LEVEL = {"stopped": 2, "never": 1}
"""As in `state.alarms`."""


def check_orders(settings: DetectionSettings, deps: Deps, *, until_ms: int) -> None:
    """Record and report the verdict on the orders up to a time (Unix ms) before which all events are applied.

    Raises:
        StateError: Redis couldn't be reached.
    """
    flow = deps.orders.flow()
    if settings.orders_stopped == "off":
        if flow.level != "fine":
            deps.orders.record("off", judged_ms=flow.last_ms, hold=False, run=0, rate=0)
        return
    waiting = deps.orders.waiting(flow.last_ms, until_ms)
    if waiting < FEWEST and flow.level == "fine":
        return
    past = past_of(deps.orders.counts(until_ms), waiting)
    run = deps.orders.waiting(flow.last_ms, until_ms - usual_delay_ms(past)) if waiting >= FEWEST else 0
    verdict = judge(past, run=run, last_ms=flow.last_ms, until_ms=until_ms)
    hold = settings.orders_stopped == "hold"
    _, changed = deps.orders.record(
        verdict.level, judged_ms=flow.last_ms, hold=hold, run=verdict.run, rate=verdict.rate
    )
    if changed:
        _log_order_level(deps)


def past_of(days: list[Counts], waiting: int) -> Past:
    """Return the counts of the last days, today first, without the sessions under review."""
    newest = chain.from_iterable(zip(reversed(day.checkouts), reversed(day.ordered), strict=True) for day in days)
    hours: list[Hour] = []
    for checkouts, ordered in newest:
        judged = min(waiting, max(0, checkouts - ordered))
        waiting -= judged
        hours.append(Hour(checkouts - judged, ordered))
    delays: dict[int, int] = {}
    for day in days:
        for step, number in day.delays.items():
            delays[step] = delays.get(step, 0) + number
    arrived = [day.arrived for day in days]
    # Data of the first known day can begin at any hour.
    full = [day for index, day in enumerate(arrived) if index and any(map(sum, arrived[index + 1 :]))]
    return Past(hours[::-1], delays, full, max(map(sum, arrived)))


def text_of(flow: OrderFlow) -> str:
    """Return the state of the orders in one line."""
    then = "sending is held until one does" if flow.held else "buyers might be contacted"
    if flow.level == "never":
        return f"no order has ever arrived, though {flow.run:,} sessions reached the checkout: {then}"
    return f"no order has arrived since {flow.run:,} sessions had the time to order, {flow.rate:.0%} usually do: {then}"


def _log_order_level(deps: Deps) -> None:
    import structlog

    log = structlog.get_logger("winback.tasks")
    flow = deps.orders.flow()
    if flow.level not in ALARM_LEVEL:
        log.info("orders_resumed")
        return
    # The monitor, which logs all other alarms, runs less often than shoppers are contacted.
    if deps.alarms.begins(ABOUT, ALARM_LEVEL[flow.level]):
        log.error("alarm", alarm=ABOUT, text=text_of(flow), hint=HINT)
