"""From a line of a recording to everything that detection and the contact policy read of it."""

from collections.abc import Mapping
from typing import NamedTuple

from detectors.activity import ActivityEvent
from detectors.lanes import milliseconds
from detectors.normalize.countries import country
from detectors.normalize.identities import of_number
from detectors.normalize.phones import phone
from detectors.normalize.session_ids import session_key
from detectors.pending import payment_window
from detectors.sequence import ACTIVITY_RANKS, NO_DATE_MS, RANK_SPAN, epoch_ms, position
from detectors.session_fields import fields_of
from detectors.settings import DetectionSettings
from winback.tuning.reading import also_named, named_people, read_event
from winback.tuning.recorded import MARK, restored
from winback.tuning.recorded import person_in as person_recorded
from worker.ingest import fast_path
from worker.ingest.changes import PAYMENTS

_FURTHEST_MS = 253_402_300_799_000  # 9999-12-31T23:59:59Z
_NOTHING: Mapping[str, str] = {}


class Heard(NamedTuple):
    """One event."""

    stamp: int
    at_ms: int
    session: str
    """Empty: the event only names a person."""
    activity: int = 0
    """Sequence number if it states stage and platform, else 0."""
    kind: int = 0
    """The kind of the silence after it, by its place in `KINDS`; -1: the shopper has bought."""
    silent_ms: int = 0
    """From when silence is measured (Unix ms)."""
    is_optout: bool = False
    people: tuple[str, ...] = ()
    """Identities that it can be about, in addition to the session's own."""
    also: tuple[str, ...] = ()
    """Other sessions that it ends."""
    fields: Mapping[str, str] = _NOTHING
    """Stored fields that it sets."""
    paying_ms: int = -1
    """Until when a payment is in progress (Unix ms), 0 for no more; -1: it isn't about one."""


class FullReader:
    """Reads lines under the settings in force."""

    def __init__(self, detection: DetectionSettings) -> None:
        self._payment_ms = milliseconds(payment_window(detection))

    def read(self, line: bytes) -> Heard | str:
        """Return an event, or why there is none, without any of its content."""
        usual = fast_path.read(line, _FURTHEST_MS)
        if usual:
            stamp = usual[1]
            at_ms = stamp // RANK_SPAN
            if NO_DATE_MS <= at_ms < _FURTHEST_MS:
                return Heard(stamp, at_ms, usual[0], stamp, silent_ms=at_ms)
        found = restored(line) if MARK in line else None
        event = read_event(found[0] if found else line)
        if isinstance(event, str):
            return event
        return self._heard(event, tuple(map(_identity, found[1])) if found else named_people(event))

    def _heard(self, event: ActivityEvent, people: tuple[str, ...]) -> Heard:
        at_ms = epoch_ms(event.occurred_at) if event.occurred_at else 0
        place = position(event, at_ms)
        is_order = event.type == "order_completed"
        kind = place.signal % RANK_SPAN - ACTIVITY_RANKS if place.signal > place.activity else 0
        return Heard(
            stamp=place.stamp,
            at_ms=at_ms,
            session=session_key(event.session_id) if event.session_id else "",
            activity=place.activity,
            kind=-1 if is_order else kind,
            silent_ms=place.silent_since_ms,
            is_optout=event.type == "opt_out",
            people=people,
            also=also_named(event),
            fields=fields_of(event),
            paying_ms=self._paying_until(event, at_ms) if event.type in PAYMENTS else 0 if is_order else -1,
        )

    def _paying_until(self, event: ActivityEvent, at_ms: int) -> int:
        if event.type != "payment_pending":
            return 0
        return epoch_ms(event.expires_at) if event.expires_at else at_ms + self._payment_ms


def person_in(fields: Mapping[str, str]) -> tuple[str, str]:
    """Return the identity of a session's phone number, and the number in E.164; both empty: none that can be called."""
    text = fields.get("phone", "")
    recorded = person_recorded(text)
    if recorded:
        return _identity(recorded.person), recorded.example
    number = phone(text, country(fields.get("country", ""))) if text else None
    return (of_number(number), number) if number else ("", "")


def _identity(person: int) -> str:
    """Return what stands for the identity of a person whose number isn't recorded."""
    return f"recorded {person}"
