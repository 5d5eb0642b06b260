"""The usual event, read in a third of the time: somebody looks around, and says nothing else.

Four of five events of a shop are like that. Whatever else an event may be, also a wrong one, is left to
`detectors.parsing`, which says the same of these (a property of the tests).
"""

import re
from datetime import datetime

from pydantic_core import from_json

from detectors.activity import MAX_EVENT_BYTES, SESSION_ID_PATTERN
from detectors.sequence import ACTIVITY_RANK, RANK_SPAN, epoch_ms, seen_at

_WITHOUT_TIME, _WITH_TIME = 4, 5
_is_session_id = re.compile(SESSION_ID_PATTERN).fullmatch


def read(raw: bytes, arrival_ms: int) -> tuple[str, int, int] | None:
    """Return session, sequence number and since when it is silent (Unix ms); None when `parse` has to say.

    `arrival_ms`: see `detectors.sequence.position`.
    """
    # An object within the object says something of the customer, the cart or the engagement.
    if raw.count(b"{") != 1 or len(raw) > MAX_EVENT_BYTES:
        return None
    try:
        event = from_json(raw)
        if event["type"] != "activity":
            return None
        session_id, rank = event["session_id"], ACTIVITY_RANK[event["flow_stage"], event["platform"]]
        if len(event) == _WITH_TIME:
            occurred_ms = min(epoch_ms(datetime.fromisoformat(event["occurred_at"])), arrival_ms)
        elif len(event) == _WITHOUT_TIME:
            occurred_ms = arrival_ms
        else:
            return None
        if not _is_session_id(session_id):
            return None
    except (ValueError, KeyError, TypeError):
        return None
    return session_id, occurred_ms * RANK_SPAN + rank, seen_at(occurred_ms, arrival_ms)
