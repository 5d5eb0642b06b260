"""Orders that no longer arrive."""

from state.orders import SessionMoment
from tests.support.stored_state import now_ms
from worker.runtime import State


def count(state: State, checkouts: dict[str, int] | None = None, orders: dict[str, int] | None = None) -> None:
    """Count sessions at the checkout and orders, each this long ago (ms)."""
    now = now_ms(state)
    moments = [
        [SessionMoment(name, now - ago_ms) for name, ago_ms in (found or {}).items()] for found in (checkouts, orders)
    ]
    state.scripts.send_calls(state.orders.count(*moments)).result()
