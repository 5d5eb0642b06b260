"""Events as a shop sends them, and their way into the sessions."""

import json
from itertools import count
from typing import Any

from state.event_stream import StreamEntry
from state.sessions import Mark
from tests.support.stored_state import now_ms
from worker.ingest.batch import collect
from worker.runtime import State

JANE = {"full_name": "Jane Doe", "phone_number": "+573001234567", "country_code": "CO"}
Event = dict[str, Any]
_arrivals = count()


def event(kind: str = "activity", session: str | None = "s-1", stage: str | None = "checkout", **more: object) -> Event:
    """One event as a shop sends it; `stage=None` leaves out stage and platform."""
    made: Event = {"type": kind}
    if session is not None:
        made["session_id"] = session
    if stage is not None:
        made |= {"flow_stage": stage, "platform": "web"}
    return made | more


def arrived(made: Event | bytes, at_ms: int) -> StreamEntry:
    """An event as it comes out of the stream; every call is another entry, also in the same millisecond."""
    raw = made if isinstance(made, bytes) else json.dumps(made).encode()
    return StreamEntry(f"{at_ms}-{next(_arrivals)}".encode(), raw)


def apply(state: State, *entries: StreamEntry) -> list[Mark]:
    return state.sessions.apply(collect(entries).changes)


def happen(state: State, made: Event, *, ago_ms: int = 0) -> list[Mark]:
    """Apply an event that arrives, and unless it says otherwise occurred, `ago_ms` before now."""
    return apply(state, arrived(made, now_ms(state) - ago_ms))
