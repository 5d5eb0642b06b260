"""What the client's own account of a shop that speaks HTTP requires: nothing that was answered with 200 is lost."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from detectors.sequence import stage_of
from state.collectors import HOLDS_MS
from state.session_record import Session, StageVisit
from tests.faults.ledger import Request
from tests.faults.shop import Visit

OVERTAKEN_S = HOLDS_MS / 1000 + 1.0
"""How long before a request an event can have been accepted without preventing it: while a collector has held it for
less time than that, outreaches are dispatched."""
CLAIMED_S = 0.3
"""The same before a claim: silence is measured up to the report of each collector."""


def lost(visit: Visit, session: Session) -> Iterator[str]:
    """Yield events that got 200 and aren't in the session."""
    seen: dict[str, StageVisit] = {stage_of(place.rank)[0]: place for place in session.stage_visits}
    for event in visit.told:
        if event.entry or not event.stage:
            continue
        at_ms, place = round(_seconds(event.occurred) * 1000), seen.get(event.stage)
        if place is None or not place.first_ms <= at_ms <= place.last_ms:
            yield f"I2: the {event.stage} of {event.occurred} got 200, and the session doesn't have it"


def overtaken(visit: Visit, requests: Sequence[Request], claims_ms: Sequence[int]) -> Iterator[str]:
    """Yield requests and claims long after a newer event of their session was accepted.

    `claims_ms`: when the outreaches of the session were made (Unix ms).
    """
    # Of several outreaches, it isn't certain to which one a request belongs.
    claimed = claims_ms[0] / 1000 if len(claims_ms) == len(requests) == 1 else 0.0
    for request in requests:
        last = _seconds(request.stamp) + 1
        for event in visit.told:
            newer = not event.entry and min(_seconds(event.occurred), event.at) > last
            if newer and event.at + OVERTAKEN_S < request.at:
                yield f"I3: contacted {request.at - event.at:.1f} s after a newer event got 200"
            if newer and event.at + CLAIMED_S < claimed:
                yield f"I3: claimed {claimed - event.at:.1f} s after a newer event got 200, and contacted"


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
