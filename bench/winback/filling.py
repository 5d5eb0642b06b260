"""Waiting sessions and their events: a shop in which one shopper in ten is known."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from time import time

from bench.shop_log import CART
from detectors.flow import PLATFORMS, STAGES
from detectors.sequence import RANK_SPAN
from state.sessions import Change
from worker import runtime

CHUNK = 5000
HOMES = ("product_selection",) * 7 + ("cart_review",) * 2 + ("checkout",)
"""A session's stage nine times out of ten, by its number; the tenth time it is at any of these."""
AT_HOME, WITH_CART, KNOWN_EVERY = 0.9, 0.15, 10
CART_KEPT = '[149.99,"COP",[["Wireless Headphones","WH-1000XM5",1,149.99]]]'


def session_id(number: int) -> str:
    return f"sess_{number:09x}"


def customer(number: int) -> dict[str, str]:
    """Return the stored person of a session."""
    return {"name": "Jane Doe", "phone": f"+57300{number:07d}", "country": "CO", "language": "es"}


def fill(state: runtime.State, numbers: range, *, silent_ms: int, random: Random) -> None:
    """Create sessions that fell silent at a moment (Unix ms), with the shares above."""
    for start in range(numbers.start, numbers.stop, CHUNK):
        changes = []
        for number in range(start, min(start + CHUNK, numbers.stop)):
            fields = customer(number) if number % KNOWN_EVERY == 0 else {}
            if random.random() < WITH_CART:
                fields["cart"] = CART_KEPT
            sequence = silent_ms * RANK_SPAN + STAGES.index(_stage(number, random)) * len(PLATFORMS)
            changes.append(Change(session_id(number), sequence, sequence, 0, 0, silent_ms, fields))
        state.sessions.apply(changes)
    forget_the_time(state)


def fill_silent(state: runtime.State, name: str, number: int, *, silent_ms: int, reachable: bool) -> None:
    """Create sessions that are silent for long enough, all reachable or none."""
    sequence = silent_ms * RANK_SPAN + STAGES.index("checkout") * len(PLATFORMS)
    for start in range(0, number, CHUNK):
        state.sessions.apply(
            [
                Change(f"{name}-{n:x}", sequence, sequence, 0, 0, silent_ms, customer(n) if reachable else {})
                for n in range(start, min(start + CHUNK, number))
            ]
        )
    forget_the_time(state)


def forget_the_time(state: runtime.State) -> None:
    """Keep the next sweep from treating the bench's other work as an outage."""
    state.client.delete(state.keys.sweep)


def lines(sessions: Sequence[int], random: Random) -> Sequence[str]:
    """Return events of the last second as a shop sends them, one for each of these sessions, in this order.

    Two of one session rarely have the same time, because the second would change nothing.
    """
    began = time() - 1
    found = []
    for index, chosen in enumerate(sessions):
        event: dict[str, object] = {
            "session_id": session_id(chosen),
            "type": "activity",
            "occurred_at": datetime.fromtimestamp(began + index / len(sessions), UTC).isoformat(
                timespec="milliseconds"
            ),
            "flow_stage": _stage(chosen, random),
            "platform": "web",
        }
        if random.random() < WITH_CART:
            event["cart"] = CART
        if chosen % KNOWN_EVERY == 0:
            known = customer(chosen)
            event["customer"] = {
                "full_name": known["name"],
                "phone_number": known["phone"],
                "country_code": known["country"],
                "language": known["language"],
            }
        found.append(json.dumps(event))
    return found


def _stage(number: int, random: Random) -> str:
    return HOMES[number % len(HOMES)] if random.random() < AT_HOME else random.choice(HOMES)
