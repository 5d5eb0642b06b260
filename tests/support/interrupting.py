"""Events between two steps of an attempt."""

from collections.abc import Callable
from typing import Any

from state.people import People, Reservation
from tests.support.outreaches import abandon, dispatch
from tests.support.states import CAP_MS, LEASE_MS
from tests.support.stored_state import places_of
from worker.runtime import State


def dispatched(state: State, session: str = "s-1") -> str:
    outreach = abandon(state, session)
    assert outreach in dispatch(state)
    return outreach


def nothing_is_left(state: State, outreach: str) -> bool:
    """Return whether no dispatch will ever return it."""
    return state.outbox.reap().due_again == 0 and dispatch(state) == [] and not places_of(state, outreach) - {"unknown"}


class After(People):
    """Acts just before the reservation, and so after the fence."""

    def __init__(self, state: State, act: Callable[[], object]) -> None:
        super().__init__(state.scripts, state.keys, longest_limit_ms=CAP_MS, lease_ms=LEASE_MS, bought_window_ms=CAP_MS)
        self._act = act

    def reserve(self, *args: Any, **named: Any) -> Reservation:  # noqa: ANN401 - as it is called
        self._act()
        return super().reserve(*args, **named)
