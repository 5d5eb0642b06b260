"""From a line of a recording to what the pass over it needs. A recording has no arrivals: events arrive at once."""

from collections.abc import Sequence
from hashlib import blake2b

from detectors.activity import NAMES_PERSON, OPTIONAL_PARTS, ActivityEvent
from detectors.exit import EXIT
from detectors.idle import IDLE
from detectors.normalize.session_ids import session_key
from detectors.parsing import parse
from detectors.problem import Problem
from detectors.registry import KINDS
from detectors.sequence import ACTIVITY_RANKS, NO_DATE_MS, RANK_SPAN, epoch_ms, position
from detectors.settings import DetectionSettings
from thresholds.observed import Observed
from winback.tuning.plain_lines import read_plain
from winback.tuning.recorded import MARK, restored
from winback.tuning.said import said_by
from worker.ingest.crediting import named_in

_NO_TIME = "occurred_at: is missing; a recording needs it, because it has no arrivals"
_NO_JSON = "is not valid JSON"
_NO_DATE = "occurred_at: is before 2000"
_PHONE = "+"
"""What the identity of a phone number begins with."""


def person_of(identity: str) -> int:
    """Return the hash of a person, from an identity (`detectors.normalize.identities`); never 0."""
    return int.from_bytes(blake2b(identity.encode(), digest_size=7).digest()) + 1


class Reader:
    """Reads lines under the settings in force."""

    def __init__(self, detection: DetectionSettings, *, with_values: bool) -> None:
        """Prepare. `with_values`: whether the value of carts matters."""
        tuned = [IDLE] if detection.exit is not None else [IDLE, EXIT]
        self._tuned = frozenset(ACTIVITY_RANKS + number for number, kind in enumerate(KINDS) if kind in tuned)
        self._with_values = with_values

    def read(self, line: bytes) -> Observed | str:
        """Return an event, or why there is none, without any of its content."""
        usual = None if self._with_values else read_plain(line)
        return self.read_any(line) if usual is None else usual

    def read_any(self, line: bytes) -> Observed | str:
        """Return the same as `read`, slowly."""
        found = restored(line) if MARK in line else None
        event = read_event(found[0] if found else line)
        if isinstance(event, str):
            return event
        return self._observed(event, found[1] if found else tuple(map(person_of, named_people(event))))

    def _observed(self, event: ActivityEvent, people: tuple[int, ...]) -> Observed:
        at_ms = epoch_ms(event.occurred_at) if event.occurred_at else 0
        place = position(event, at_ms)
        is_order, is_optout = event.type == "order_completed", event.type == "opt_out"
        is_signal = not is_order and not is_optout and place.signal
        return Observed(
            stamp=place.stamp,
            at_ms=at_ms,
            session=session_key(event.session_id) if event.session_id else "",
            activity=place.activity,
            is_tuned=not is_order and (not is_signal or place.signal % RANK_SPAN in self._tuned),
            is_order=is_order,
            is_optout=is_optout,
            people=people,
            also=also_named(event),
            said=said_by(event, with_value=self._with_values),
        )


def read_event(line: bytes) -> ActivityEvent | str:
    """Return an event with a usable time, or why there is none, without any of its content."""
    parsed = parse(line)
    event = parsed.event
    if event is None:
        return str(_main(parsed.problems))
    if event.occurred_at is None:
        reasons = [str(one) for one in parsed.problems if one.field == "occurred_at"]
        # Part of an event that is cut off can be read. It lacks its time because the rest is gone.
        reasons += [_NO_JSON for one in parsed.problems if str(one).startswith(_NO_JSON)]
        return next(iter(reasons), _NO_TIME)
    return _NO_DATE if epoch_ms(event.occurred_at) < NO_DATE_MS else event


def _main(problems: Sequence[Problem]) -> Problem:
    """Return the problem without which there would be an event: of all of it, or of a part that every event has."""
    return next((one for one in problems if one.field.partition(".")[0] not in OPTIONAL_PARTS), problems[0])


def named_people(event: ActivityEvent) -> tuple[str, ...]:
    """Return the identities of phone numbers that an order, an opt-out or a payment can be about."""
    if event.type not in NAMES_PERSON:
        return ()
    return tuple(identity for identity in named_in(event) if identity.startswith(_PHONE))


def also_named(event: ActivityEvent) -> tuple[str, ...]:
    """Return the stored ids of other sessions that an event ends."""
    if event.previous_session_id is None and not event.cart_ids:
        return ()
    own = event.session_id
    named = (event.previous_session_id, *event.also_sessions)
    return tuple(dict.fromkeys(session_key(text) for text in named if text and text != own))
