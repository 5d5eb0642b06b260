"""The request that would follow if a shopper did nothing more after an event, or the reason why none would."""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from detectors.activity import ActivityEvent
from detectors.lanes import LANES_BY_NAME
from detectors.normalize.session_ids import public_session_id
from detectors.registry import KINDS
from detectors.sequence import ACTIVITY_RANKS, RANK_SPAN, occurred_ms, position, stage_of
from detectors.session_fields import REQUIRED, fields_of, is_bot, was_emptied
from tasks.delivery import payload
from tasks.policy import consent

_MOST_SESSIONS = 1000
_UNREACHABLE = "the session ends as unreachable"
_FIELDS = {"phone": "customer.phone_number", "name": "customer.full_name"}


@dataclass(slots=True)
class _Session:
    fields: dict[str, str] = field(default_factory=dict)
    activity: int = 0
    signal: int = 0
    purchase: int = 0
    opted_out: bool = False


class Requests:
    """Follows the sessions of some events, in their order, as ingest would."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def after(self, event: ActivityEvent, now_ms: int) -> payload.Built | str:
        """Return the request that follows an event's silence, or the reason why none does.

        Only the events count here, not the settings, the law, or stored data about the person.
        """
        event_position = position(event, now_ms)
        for other in event.also_sessions:
            self._session(other).purchase = max(event_position.purchase, self._session(other).purchase)
        if event.session_id is None:
            return "the event names no session"
        session = self._session(event.session_id)
        previous = self._sessions.get(event.previous_session_id or "")
        if previous is not None and not event.also_sessions:
            session.fields = {**previous.fields, **session.fields}
        session.activity, session.signal = (
            max(session.activity, event_position.activity),
            max(session.signal, event_position.signal),
        )
        session.purchase = max(session.purchase, event_position.purchase)
        session.opted_out |= event.type == "opt_out"
        session.fields |= fields_of(event)
        return _why_not(session) or _build(session, event.session_id)

    def unreachable(self) -> Counter[str]:
        """Return why sessions would end as unreachable, with the number of sessions of each reason."""
        reasons = (_why_not(session) for session in self._sessions.values())
        return Counter(why for why in reasons if why and why.startswith(_UNREACHABLE))

    def _session(self, session_id: str) -> _Session:
        found = self._sessions.setdefault(session_id, _Session())
        self._sessions.move_to_end(session_id)
        if len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return found


def _why_not(session: _Session) -> str | None:
    fields = session.fields
    missing = [label for name, label in _FIELDS.items() if name in REQUIRED and not fields.get(name)]
    reasons = {
        "the person opted out": session.opted_out,
        "the session's cart was bought": session.purchase and session.purchase >= session.activity,
        "no event of a known type had the shopper's flow_stage and platform": not session.activity,
        "the cart is empty": was_emptied(fields),
        f"{_UNREACHABLE} without {' and '.join(missing)}": missing,
        "the customer refused every channel": not consent.allowed(fields, {}, must_be_given=False),
        "it is a bot": is_bot(fields),
    }
    return next((why for why, holds in reasons.items() if holds), None)


def _build(session: _Session, session_id: str) -> payload.Built | str:
    stage, platform = stage_of(session.activity)
    last = max(session.activity, session.signal)
    kind = KINDS[session.signal % RANK_SPAN - ACTIVITY_RANKS] if session.signal > session.activity else KINDS[0]
    lane = LANES_BY_NAME[f"{stage}.{platform}.{kind.name}"]
    built = payload.build(
        session.fields,
        session_id=public_session_id(session_id),
        stage=stage,
        platform=platform,
        abandoned_ms=occurred_ms(last),
        reason=lane.kind.reason(stage),
    )
    if isinstance(built, payload.InvalidContact):
        return f"{built.field} can't be used for a contact"
    may = consent.allowed(session.fields, {}, must_be_given=False)
    return payload.by_channel(built, may, "auto")
