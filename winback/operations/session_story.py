"""The story of one session as JSON data: its activity, the threshold in force, and the next step."""

from collections.abc import Callable, Mapping

from detectors.durations import format_duration
from detectors.kind import idle_wait
from detectors.lanes import LANES_BY_NAME, Lane, milliseconds
from detectors.registry import KINDS
from detectors.sequence import RANK_NAMES, RANK_SPAN, occurred_ms, stage_of
from detectors.session_fields import ID, REQUIRED, cart_of, metadata_of, sources_of
from detectors.settings import DetectionSettings
from state.event_streams import Watermark
from state.people import PersonFacts
from state.session_record import Session, StageVisit
from tasks.policy.reasons import meaning_of
from winback.operations.contact_problems import contact_problems
from winback.operations.story import Story, encrypted_under, when
from worker.logs.masking import mask_email, mask_phone, mask_words, one_line

_PARTS = {kind.name: kind.begins_with for kind in KINDS}
"""The type of event that begins each kind of silence."""


def explain_session(
    session: Session, detection: DetectionSettings, mark: Watermark, facts: PersonFacts | None, *, reveal: bool
) -> Story:
    """Return the data of a session, and what happens next without further activity."""
    lane = lane_of(session)
    story: Story = {
        "session": session.fields.get(ID) or session.session_id,
        "stored_as": session.session_id,
        "state": session.state,
        "meaning": meaning_of(*session.state.split(".", 1)) if "." in session.state else None,
        "stage": lane.stage if lane else None,
        "platform": lane.platform if lane else None,
        "stages": [_stage_visit(stay) for stay in session.stage_visits],
        "last_activity": when(occurred_ms(session.activity)),
        "signal": _signal(session),
        "purchase": when(occurred_ms(session.purchase)),
        "silent_since": when(session.silent_since_ms),
        "superseded_by": session.superseded_by or None,
        "supersedes": session.supersedes or None,
        "contacts": session.contacts,
        "customer": _customer(session.fields, reveal=reveal),
        "contact_problems": _contact_problems(session),
        "cart": _cart(session, reveal=reveal),
        "person": _person(facts),
        "unreadable": encrypted_under(session.unreadable) or None,
    }
    if lane is not None:
        wait = lane.kind.wait(detection, lane.stage, lane.platform)
        story |= {"lane": lane.name, "threshold": format_duration(wait), "setting": setting_of(detection, lane)}
        if session.state == "waiting":
            claimed_ms = session.silent_since_ms + milliseconds(wait)
            story |= {"claimed_from": when(claimed_ms)}
    return story | {"sources": sources_of(session.fields), "next": _next_of_session(session, lane, detection, mark)}


def lane_of(session: Session) -> Lane | None:
    """Return the lane of a session, or its last lane before it was claimed."""
    if not session.activity:
        return None
    kind = RANK_NAMES[session.signal % RANK_SPAN] if session.signal > session.activity else "idle"
    return LANES_BY_NAME[f"{RANK_NAMES[session.activity % RANK_SPAN]}.{kind}"]


def missing(session: Session) -> list[str]:
    """Return the missing fields of those that are required for a contact."""
    return [name for name in REQUIRED if not session.fields.get(name)]


def _next_of_session(session: Session, lane: Lane | None, detection: DetectionSettings, mark: Watermark) -> str:
    if session.state != "waiting":
        return _next_of_ended(session)
    if lane is None:
        return "nothing: no event of a known type had its stage and platform"
    wait_ms = milliseconds(lane.kind.wait(detection, lane.stage, lane.platform))
    claimed_ms = session.silent_since_ms + wait_ms
    last_ms = occurred_ms(max(session.activity, session.signal))
    overdue_ms = (session.silent_since_ms if lane.kind.measure_from_expiry else last_ms) + wait_ms
    # From the next sweep on, if it is overdue.
    at_ms = max(claimed_ms, mark.now_ms)
    at = "at the next sweep" if claimed_ms <= mark.until_ms else f"at {when(claimed_ms)}, unless something happens,"
    if claimed_ms <= mark.now_ms and claimed_ms > mark.until_ms:
        at = f"when the events that have been waiting since {when(mark.until_ms)} are applied"
    if at_ms - overdue_ms > milliseconds(detection.max_abandonment_age):
        return f"{at} it ends expired: too_old"
    return f"{at} it {_claimed_as(session, lane.kind.suppress_reason(detection))}"


def _claimed_as(session: Session, suppress_reason: str | None) -> str:
    if session.unreadable:
        return "is claimed; this command can't read the fields that decide on a contact"
    if lacks := missing(session):
        return f"ends unreachable: {', '.join(lacks)} missing"
    if suppress_reason:
        return f"ends suppressed: {suppress_reason}"
    return "is claimed, and the contact policy decides"


def _next_of_ended(session: Session) -> str:
    match session.state:
        case "abandoned":
            return "see its outreach"
        case "forgotten":
            return "nothing: it was forgotten; new activity starts it from scratch"
        case "bought":
            return "nothing: it was bought; a later silence counts again"
        case "superseded":
            return f"nothing: it was superseded by session {session.superseded_by}; see that one"
    return f"nothing: it ended {session.state.replace('.', ': ')}; new activity starts it from scratch"


def setting_of(detection: DetectionSettings, lane: Lane) -> str:
    """Return the name of the threshold's setting."""
    wait = lane.kind.wait(detection, lane.stage, lane.platform)
    if wait != idle_wait(detection, lane.stage, lane.platform):
        return f"detection.{lane.kind.setting}" if lane.kind.setting else f"fixed for the kind {lane.kind.name}"
    own = getattr(detection.idle_by_platform.get(lane.platform), lane.stage, None)
    return f"detection.idle_by_platform.{lane.platform}.{lane.stage}" if own else f"detection.idle.{lane.stage}"


def _stage_visit(stay: StageVisit) -> Story:
    """Return the first and last time at a stage and platform; in between the session may have been elsewhere."""
    stage, platform = stage_of(stay.rank)
    return {"stage": stage, "platform": platform, "from": when(stay.first_ms), "to": when(stay.last_ms)}


def source_of(sources: Mapping[str, str], part: str) -> str:
    """Return the source of a part of a session or of a kind of silence; empty if none was named."""
    return sources.get(_PARTS.get(part, part), "")


def _signal(session: Session) -> Story | None:
    if not session.signal:
        return None
    return {"kind": RANK_NAMES[session.signal % RANK_SPAN], "at": when(occurred_ms(session.signal))}


def _customer(fields: Mapping[str, str], *, reveal: bool) -> Story:
    """Return the customer. Without `reveal` a person can compare the data, but it isn't enough for a contact."""

    def shown(name: str, mask: Callable[[str], str]) -> str | None:
        text = one_line(fields.get(name, ""))
        return (text if reveal else mask(text)) if text else None

    return {
        "name": shown("name", mask_words),
        "phone": shown("phone", mask_phone),
        "email": shown("email", mask_email),
        "country": fields.get("country") or None,
        "language": fields.get("language") or None,
        "consent": {name: fields.get(f"consent.{name}") or None for name in ("call", "whatsapp")},
        "preferred_channel": fields.get("channel") or None,
        "opted_out": bool(fields.get("opted_out")),
        "metadata": metadata_of(fields) if reveal else sorted(metadata_of(fields)),
    }


def _contact_problems(session: Session) -> list[str]:
    """Return the problems of the customer; none where no contact follows or the data can't be read."""
    if session.unreadable or session.state in {"forgotten", "bought", "superseded"}:
        return []
    return contact_problems(session.fields)


def _cart(session: Session, *, reveal: bool) -> object:
    if session.has_bought:
        return "bought"
    if "cart" not in session.fields:
        return None
    cart = cart_of(session.fields)
    if cart is None:
        return "emptied"
    return cart.model_dump(mode="json", exclude_none=True) if reveal else {"lines": len(cart.items or ())}


def _person(facts: PersonFacts | None) -> Story | None:
    if facts is None:
        return None
    return {
        "opted_out": facts.opted_out,
        "bought": facts.bought,
        "reserved_by": facts.reserved_by or None,
        "reserved": when(facts.reserved_at_ms),
    }
