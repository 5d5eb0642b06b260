"""The changes that one event makes to the sessions that it names. Pure."""

from collections.abc import Mapping

from detectors.activity import ActivityEvent
from detectors.normalize.session_ids import public_session_id
from detectors.sequence import Position
from detectors.session_fields import CONSENT, ID, fields_of
from state.session_record import PERSON
from state.sessions import Change

STOPS = frozenset({"order_completed", "opt_out"})
"""Events that count for the people they name, and for the sessions they name in any field."""
PAYMENTS = frozenset({"payment_pending", "payment_declined"})
"""Events about the status of a payment. They count for the people they name, too."""
_ABOUT_PERSON = frozenset({*PERSON, *CONSENT.values()})
"""Stored fields that identify the person or hold an answer to the question for consent."""
_NOTHING: Mapping[str, str] = {}
_REFUSAL = {"opted_out": "1"}
_new = tuple.__new__


def new_change(
    *,
    session_id: str,
    stamp: int,
    activity: int = 0,
    signal: int = 0,
    purchase: int = 0,
    silent_since_ms: int = 0,
    fields: Mapping[str, str] = _NOTHING,
    wants_mark: bool = False,
    seen_ms: int = 0,
) -> Change:
    """Make a change, several times as fast as `Change` with keywords."""
    change: Change = _new(
        Change, (session_id, stamp, activity, signal, purchase, silent_since_ms, fields, wants_mark, seen_ms)
    )
    return change


def plain_change(session_id: str, stamp: int, silent_since_ms: int) -> Change:
    """Make the change of mere activity, in half the time of `new_change`: most changes are like that."""
    change: Change = _new(Change, (session_id, stamp, stamp, 0, 0, silent_since_ms, _NOTHING, False, 0))
    return change


def with_mark(change: Change, *, wants_mark: bool) -> Change:
    """Return a change with another `wants_mark`."""
    session_id, stamp, activity, signal, purchase, silent_since_ms, fields, _, seen_ms = change
    found: Change = _new(
        Change, (session_id, stamp, activity, signal, purchase, silent_since_ms, fields, wants_mark, seen_ms)
    )
    return found


def own_change(session: str, event: ActivityEvent, place: Position) -> Change:
    """Return the change that an event makes to its own session; `session`: its stored id."""
    fields = fields_of(event)
    if session != event.session_id:
        fields |= _id_of(session, event.session_id or "")
    if event.type == "opt_out":
        fields |= _REFUSAL
    return new_change(
        session_id=session,
        stamp=place.stamp,
        activity=place.activity,
        signal=place.signal,
        purchase=place.purchase,
        silent_since_ms=place.silent_since_ms,
        fields=fields,
        wants_mark=event.type in PAYMENTS
        or (not _ABOUT_PERSON.isdisjoint(fields) and any(map(fields.get, _ABOUT_PERSON))),
        seen_ms=place.seen_ms,
    )


def other_change(session: str, text: str, event: ActivityEvent, place: Position) -> Change | None:
    """Return the change that an event makes to another session that it names; None if it only supersedes that session.

    `text`: the shop's spelling of the session.
    """
    superseded = place.activity > 0 and text == event.previous_session_id
    if event.type in STOPS or (event.type == "payment_pending" and not superseded):
        return new_change(
            session_id=session,
            stamp=place.stamp,
            signal=place.signal,
            purchase=place.purchase,
            silent_since_ms=place.silent_since_ms,
            fields=_id_of(session, text) | (_REFUSAL if event.type == "opt_out" else {}),
            seen_ms=place.seen_ms,
        )
    # Their shopper is active there, whatever else this means.
    return None if superseded else new_change(session_id=session, stamp=place.stamp, seen_ms=place.seen_ms)


def _id_of(session: str, text: str) -> dict[str, str]:
    """Return the field with the shop's id of a session, if its stored id differs."""
    public = public_session_id(text)
    return {ID: public} if public and public != session else {}
