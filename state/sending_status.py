"""The state of sending: whether it is on, and what blocks it. Read-only, from the control keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from state.orders import OrderFlow

SendingState = Literal["on", "full", "paused", "mixed", "orders_stopped", "refused", "failing"]
"""`on`; `full`: the daily limit is reached; `paused` by an operator; `mixed`: workers disagree on the mode. Automatic
stops: `orders_stopped`: no orders arrive; `refused`: the keys are refused; `failing`: requests fail."""


@dataclass(frozen=True, slots=True)
class Sending:
    """The state of sending for display. Times are Unix ms of the server; None: there is none."""

    sending_state: SendingState
    since_ms: int | None = None
    until_ms: int | None = None
    """When a pause ends."""
    reason: str = ""
    """The operator's reason of a pause."""
    stopped: str = ""
    """Whether it has also stopped automatically: `refused` or `failing`."""
    why: str = ""
    """The last reply that stopped it."""
    next_try_ms: int | None = None
    probing: bool = False
    """Whether a probe is in flight."""
    failures: int = 0
    """How many requests in a row have failed."""
    contacts_today: int = 0
    """Counted only if `delivery.max_per_day` is set."""


def read_sending(
    stored: Mapping[str, str], *, now_ms: int, contacts_today: int, orders: OrderFlow | None = None
) -> Sending:
    """Return the state of sending from the control hash and the state of the orders."""

    def at(name: str) -> int | None:
        return int(stored[name]) if name in stored else None

    until_ms = at("until")
    paused = "paused" in stored and (until_ms is None or until_ms > now_ms)
    stopped = stored.get("stopped", "")
    sending_state: SendingState = "full" if stored.get("reported_state") == "full" else "on"
    mixed_ms = at("mixed")
    held = orders is not None and orders.holds(now_ms)
    if paused:
        sending_state = "paused"
    elif mixed_ms is not None:
        sending_state = "mixed"
    elif held:
        sending_state = "orders_stopped"
    elif stopped == "refused":
        sending_state = "refused"
    elif stopped:
        sending_state = "failing"
    return Sending(
        sending_state=sending_state,
        since_ms=_since_ms(sending_state, at, orders),
        until_ms=until_ms if paused else None,
        reason=stored.get("reason", "") if paused else "",
        stopped=stopped,
        why=stored.get("why", ""),
        next_try_ms=at("retry_at"),
        probing=bool(stored.get("probe", "")),
        failures=int(stored.get("failures", 0)),
        contacts_today=contacts_today,
    )


def _since_ms(sending_state: SendingState, at: Callable[[str], int | None], orders: OrderFlow | None) -> int | None:
    if sending_state == "orders_stopped":
        return orders.since_ms if orders else None
    return at(sending_state if sending_state in {"paused", "mixed"} else "since")
