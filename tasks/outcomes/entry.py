"""An entry of the outcome feed, from the outcome in Redis: ids only, no personal data. Pure."""

import hashlib
import hmac
import json
from decimal import Decimal

from detectors.lanes import LANES_BY_NAME
from detectors.minor_units import amount
from detectors.sequence import occurred_ms
from state.attribution import UNPRICED, Money
from state.outcome_feed import FeedEntry, Outcome
from tasks.delivery.payload import timestamp
from tasks.outcomes.names import NAMES

_REACHED = frozenset({"sent", "unknown", "recovered"})
"""Outcomes with the time of a contact, or of one that might have been made."""
_HASH_PURPOSE = b"session ids in the outcome feed"


def entry_of(outcome: Outcome, secret: bytes) -> FeedEntry:
    """Return the entry of an outcome. `secret`: the identity secret, for session ids that are personal."""
    name = NAMES.get(outcome.kind, outcome.kind)
    return FeedEntry(
        id=f"{outcome.outreach}.{name}.{outcome.place}",
        body=json.dumps(
            {
                "type": f"outreach.{name}",
                "timestamp": timestamp(outcome.at_ms),
                "data": {
                    "outreach_id": outcome.outreach,
                    "session_id": session_in_feed(outcome.session, secret) or None,
                    "outcome": name,
                    "reason": outcome.reason or None,
                    **_place(outcome.lane),
                    "abandoned_at": timestamp(occurred_ms(outcome.last)) if outcome.last else None,
                    "contacted_at": timestamp(outcome.contacted_at_ms) if outcome.kind in _REACHED else None,
                    **({"order": _order(outcome.order)} if outcome.order else {}),
                },
            },
            separators=(",", ":"),
        ),
    )


def session_in_feed(session: str, secret: bytes) -> str:
    """Return a stored session id as the feed shows it.

    An id with an @ or a leading + can be an e-mail address or a phone number, so the feed has a keyed hash instead:
    `hash:` and 32 hexadecimal digits.
    """
    if "@" not in session and not session.startswith("+"):
        return session
    key = hmac.digest(secret, _HASH_PURPOSE, hashlib.sha256)
    return f"hash:{hmac.digest(key, session.encode(), hashlib.sha256).hex()[:32]}"


def _place(name: str) -> dict[str, str | None]:
    lane = LANES_BY_NAME.get(name)
    if lane is None:
        return {"kind": None, "stage": None, "platform": None}
    return {"kind": lane.kind.name, "stage": lane.stage, "platform": lane.platform}


def _order(packed: str) -> dict[str, float | str | None]:
    """Return an order from its stored form, see `Credit.packed`."""
    at, _, money = packed[1:].partition(" ")
    found = Money.read(money)
    placed_at = timestamp(int(at))
    if found is None or found.currency == UNPRICED:
        return {"value": None, "currency": None, "placed_at": placed_at}
    return {"value": _number(amount(found.units, found.currency)), "currency": found.currency, "placed_at": placed_at}


def _number(value: Decimal) -> float:
    """Return an amount as a JSON number. An amount has at most 16 digits, which a float keeps."""
    return int(value) if value == value.to_integral_value() else float(value)
