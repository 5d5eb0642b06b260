"""Findings about the flow of orders. Pure."""

from collections.abc import Iterator

from state.overview import Overview
from tasks import order_flow
from worker.monitoring.finding import Finding, Mark


def findings(overview: Overview) -> Iterator[Finding]:
    """Report that orders no longer arrive, or never have."""
    orders = overview.orders
    if orders.level == "doubtful":
        waits = "sending waits for one" if orders.holds(overview.now_ms) else "it may be chance"
        text = f"no order has arrived since {orders.run:,} sessions had the time to order: {waits}"
        yield Finding(order_flow.ABOUT, "note", text, "no action is needed yet; it becomes an alarm if it continues")
    elif orders.level in order_flow.ALARM_LEVEL:
        mark: Mark = "fail" if orders.level == "stopped" else "warn"
        yield Finding(order_flow.ABOUT, mark, order_flow.text_of(orders), order_flow.HINT)
