"""How sending is: whether it goes on, and what it is blocked by. Reads the control keys, and nothing but reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from state.orders import OrderFlow

SendingState = Literal["on", "full", "paused", "mixed", "orders_stopped", "refused", "failing"]
"""`on`; `full`: the day's contacts are used up; `paused` by hand; `mixed`: workers disagree on how to send; by itself
because no orders arrive, because the keys are `refused`, or because requests are `failing`."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How sending is, for people to look at. Times are Unix ms of the server; None: there is none."""

    sending_state: SendingState
    since_ms: int | None = None
    until_ms: int | None = None
    """When a pause ends."""
    reason: str = ""
    """What the operator gave as the reason of a pause."""
    stopped: str = ""
    """Whether it has stopped by itself, too: `refused` or `failing`."""
    why: str = ""
    """What the last reply was that stopped it."""
    next_try_ms: int | None = None
    probing: bool = False
    """Whether one outreach is being tried at this moment."""
    failures: int = 0
    """How many requests in a row have failed."""
    contacts_today: int = 0
    """Counted only while `delivery.max_per_day` is set."""


def read_sending(
    stored: Mapping[str, str], *, now_ms: int, contacts_today: int, orders: OrderFlow | None = None
) -> Sending:
    """Say how sending is, from the control hash and what is known of the orders."""

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
