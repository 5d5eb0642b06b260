"""Reads the usual event in a third of the time: activity and nothing else.

Four of five events of a shop are like that. All others, including invalid ones, are left to `detectors.parsing`, which
gives the same result for these (a property of the tests).
"""

from datetime import datetime

from pydantic_core import from_json

from detectors.activity import MAX_EVENT_BYTES
from detectors.normalize.session_ids import is_plain_id
from detectors.sequence import ACTIVITY_RANK, RANK_SPAN, SLOW_CLOCK_MS, epoch_ms
from state.sessions import Change
from worker.ingest.changes import plain_change

_WITHOUT_TIME, _WITH_TIME = 4, 5


def read(raw: bytes, arrival_ms: int) -> Change | None:
    """Return the change that an event makes to its session; None if `parse` has to read it.

    `arrival_ms`: see `detectors.sequence.position`.
    """
    # An object within the object describes the customer, the cart or the engagement.
    if raw.count(b"{") != 1 or len(raw) > MAX_EVENT_BYTES:
        return None
    try:
        event = from_json(raw)
        session_id, rank = event["session_id"], ACTIVITY_RANK[event["flow_stage"], event["platform"]]
        occurred_ms = arrival_ms
        if len(event) == _WITH_TIME:
            moment = event["occurred_at"]
            if moment[10] != "T":  # the same check as in detectors.normalize.moments.iso
                return None
            said_ms = epoch_ms(datetime.fromisoformat(moment))
            if said_ms < arrival_ms:
                occurred_ms = said_ms
        elif len(event) != _WITHOUT_TIME:
            return None
        if type(session_id) is int:
            session_id = str(session_id)
        if event["type"] != "activity" or not is_plain_id(session_id):
            return None
    except (ValueError, LookupError, TypeError):
        return None
    # The same as detectors.sequence.seen_at, without the call.
    seen_ms = occurred_ms if occurred_ms >= arrival_ms - SLOW_CLOCK_MS else arrival_ms
    return plain_change(session_id, occurred_ms * RANK_SPAN + rank, seen_ms)
