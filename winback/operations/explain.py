"""The story of a session, as JSON data: times are ISO 8601 in UTC, null for never.

What it did, when it will be or was claimed and by which threshold, what was decided and why, what was tried and how it
went, and what happens next.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import zip_longest

from detectors.durations import format_duration
from detectors.json_values import JsonObject
from detectors.kind import idle_wait
from detectors.lanes import LANES_BY_NAME, Lane, milliseconds
from detectors.sequence import RANK_NAMES, RANK_SPAN, occurred_ms, stage_of
from detectors.session_fields import ID, REQUIRED, cart_of, metadata_of
from detectors.settings import DetectionSettings
from state.decisions import Line, Record
from state.event_streams import Watermark
from state.people import Facts
from state.session_record import Session, Stay
from tasks.delivery.payload import timestamp
from worker.logs.masking import mask_email, mask_phone, mask_words, one_line

Story = JsonObject
_ATTEMPT = re.compile(
    r"attempt (?P<number>\d+)(?: in (?P<ms>\d+) ms)?(?: \(left out: (?P<left_out>.*?)\)(?= |$))?"
    r"(?: (?P<status>not made|[a-z0-9_]+(?:\.[A-Za-z0-9_]+)?))?(?: (?P<said>.*))?"
)
_CLAIMED = re.compile(r"claimed silent since (\d+)")
_SAID = {
    "lease_ran_out": "its worker did not come back: due again when the lease ran out",
    "retry.by_operator": "tried again, by the operator",
    "dropped.by_operator": "dropped by the operator: it stays dead",
    "forgotten": "who it was about was forgotten",
}
_BEGINS = {
    "retry": "to be tried again: {}",
    "not_sent": "nothing was sent: {}",
    "postponed": "postponed: {}",
}


def explain_outreach(record: Record, *, reveal: bool, now_ms: int) -> Story:
    """Tell the story of one outreach; what a reply said may be personal, and is left out unless `reveal`."""
    return {
        "outreach": record.outreach,
        "state": record.state,
        "reason": record.reason or None,
        "session": record.session or None,
        "lane": record.lane,
        "threshold": format_duration(timedelta(milliseconds=record.threshold_ms)) if record.threshold_ms else None,
        "claimed": when(record.claimed_ms),
        "attempts": record.attempts,
        "history": [
            _told(line, following, reveal=reveal) for line, following in zip_longest(record.history, record.history[1:])
        ],
        "next": _next(record, now_ms),
    }


def explain_session(
    session: Session, detection: DetectionSettings, mark: Watermark, facts: Facts | None, *, reveal: bool
) -> Story:
    """Tell what is known of a session, and what happens to it next if nothing else does."""
    lane = lane_of(session)
    story: Story = {
        "session": session.fields.get(ID) or session.session_id,
        "stored_as": session.session_id,
        "state": session.state,
        "stage": lane.stage if lane else None,
        "platform": lane.platform if lane else None,
        "stages": [_stay(stay) for stay in session.stays],
        "last_activity": when(occurred_ms(session.activity)),
        "signal": _signal(session),
        "purchase": when(occurred_ms(session.purchase)),
        "silent_since": when(session.silent_since_ms),
        "moved_to": session.moved_to or None,
        "took_over": session.took_over or None,
        "contacts": session.contacts,
        "customer": _customer(session.fields, reveal=reveal),
        "cart": _cart(session, reveal=reveal),
        "person": _person(facts),
    }
    if lane is not None:
        wait = lane.kind.wait(detection, lane.stage, lane.platform)
        story |= {"lane": lane.name, "threshold": format_duration(wait), "setting": _setting(detection, lane)}
        if session.state == "waiting":
            claimed_ms = session.silent_since_ms + milliseconds(wait)
            story |= {"claimed_from": when(claimed_ms)}
    return story | {"next": _next_of_session(session, lane, detection, mark)}


def lane_of(session: Session) -> Lane | None:
    """Return the lane that a session is in, or was before it was claimed."""
    if not session.activity:
        return None
    kind = RANK_NAMES[session.signal % RANK_SPAN] if session.signal > session.activity else "idle"
    return LANES_BY_NAME[f"{RANK_NAMES[session.activity % RANK_SPAN]}.{kind}"]


def when(ms: int) -> str | None:
    """Return Unix ms as ISO 8601 in UTC; None for never."""
    return timestamp(ms) if ms else None


def missing(session: Session) -> list[str]:
    """Return which of the fields are missing without which nobody can be reached."""
    return [name for name in REQUIRED if not session.fields.get(name)]


def _told(line: Line, following: Line | None, *, reveal: bool) -> Story:
    """One line of the history, in words and, for an attempt, in numbers.

    The status of an attempt that was not the last word is the reason in the line after it.
    """
    told: Story = {"at": when(line.at_ms)}
    if found := _ATTEMPT.fullmatch(line.text):
        status = found["status"] or (following.text.partition(".")[2] if following else "") or None
        text = f"attempt {found['number']}"
        text += f" {status}" if status else ""
        text += f", {int(found['ms']):,} ms" if found["ms"] else ""
        text += f" (left out: {found['left_out']})" if found["left_out"] else ""
        if found["said"]:
            text += f": {one_line(found['said'])}" if reveal else " (--reveal shows what was answered)"
        numbers = {"attempt": int(found["number"]), "ms": int(found["ms"]) if found["ms"] else None}
        return told | {"text": text, **numbers, "status": status}
    if found := _CLAIMED.fullmatch(line.text):
        return told | {"text": f"claimed: silent since {when(int(found[1]))}"}
    word, _, reason = line.text.partition(".")
    if line.text in _SAID:
        text = _SAID[line.text]
    elif word == "postponed":
        text = _BEGINS[word].format(_postponed(reason))
    elif word in _BEGINS:
        text = _BEGINS[word].format(reason)
    else:
        text = f"ended {word}: {reason}" if reason else f"ended {word}"
    return told | {"text": text}


def _postponed(reason: str) -> str:
    """`law_CO until Monday 07:00` in words: `law CO, opens Monday 07:00`."""
    why, until, opens = reason.partition(" until ")
    law, _, place = why.partition("_")
    why = f"law {place}" if law == "law" else why
    return f"{why}, opens {opens}" if until else why


def _next(record: Record, now_ms: int) -> str:  # noqa: PLR0911 - one return for each state
    until = when(record.lease_ends_ms)
    match record.state:
        case "waiting" if record.lease_ends_ms:
            return f"it is on its way to a worker; if none takes it, it is due again at {until}"
        case "waiting" if record.due_ms > now_ms:
            return f"due at {when(record.due_ms)}; too old for a contact from {when(record.expires_ms)} on"
        case "waiting":
            return "due now: a worker gets it as soon as one is free and sending is not held back (winback status says)"
        case "leased":
            return f"a worker has it in hand; if it does not come back, it is due again at {until}"
        case "sending":
            return f"its request is under way; without an answer it is unknown at {until}"
        case "dead" if record.waits_for_decision:
            return f"waits for a person: winback dead retry {record.outreach}, or winback dead drop {record.outreach}"
        case "unknown" if record.waits_for_decision:
            return f"waits for a person: winback unknown resolve --as sent {record.outreach}, or --as retry"
    return "nothing: it has ended"


def _next_of_session(session: Session, lane: Lane | None, detection: DetectionSettings, mark: Watermark) -> str:
    if session.state != "waiting":
        return _next_of_ended(session)
    if lane is None:
        return "nothing: no event has said at which stage and on which platform it is"
    wait_ms = milliseconds(lane.kind.wait(detection, lane.stage, lane.platform))
    claimed_ms = session.silent_since_ms + wait_ms
    last_ms = occurred_ms(max(session.activity, session.signal))
    overdue_ms = (session.silent_since_ms if lane.kind.silent_from_expiry else last_ms) + wait_ms
    # From the next sweep on, when it should have been before.
    at_ms = max(claimed_ms, mark.now_ms)
    at = "at the next sweep" if claimed_ms <= mark.until_ms else f"at {when(claimed_ms)}, unless something happens,"
    if claimed_ms <= mark.now_ms and claimed_ms > mark.until_ms:
        at = f"when the events that have been waiting since {when(mark.until_ms)} are applied"
    left_alone = lane.kind.left_alone(detection)
    if at_ms - overdue_ms > milliseconds(detection.max_abandonment_age):
        return f"{at} it ends expired: too_old"
    if lacks := missing(session):
        return f"{at} it ends unreachable: {', '.join(lacks)} missing"
    if left_alone:
        return f"{at} it ends suppressed: {left_alone}"
    return f"{at} it is claimed, and the contact policy is asked"


def _next_of_ended(session: Session) -> str:
    match session.state:
        case "abandoned":
            return "see its outreach"
        case "forgotten":
            return "nothing: it was forgotten; what it does from now on begins afresh"
        case "bought":
            return "nothing: it was bought; a later silence is looked at anew"
        case "moved":
            return f"nothing: session {session.moved_to} took it over; see that"
    return f"nothing: it ended {session.state.replace('.', ': ')}; what it does from now on begins afresh"


def _setting(detection: DetectionSettings, lane: Lane) -> str:
    """Return the name of the setting that the threshold comes from."""
    wait = lane.kind.wait(detection, lane.stage, lane.platform)
    if lane.kind.name != "idle" and wait != idle_wait(detection, lane.stage, lane.platform):
        return f"detection.{lane.kind.name}"
    own = getattr(detection.idle_by_platform.get(lane.platform), lane.stage, None)
    return f"detection.idle_by_platform.{lane.platform}.{lane.stage}" if own else f"detection.idle.{lane.stage}"


def _stay(stay: Stay) -> Story:
    """Tell when it was first and last at one place of the flow; between the two it may have been elsewhere."""
    stage, platform = stage_of(stay.rank)
    return {"stage": stage, "platform": platform, "from": when(stay.first_ms), "to": when(stay.last_ms)}


def _signal(session: Session) -> Story | None:
    if not session.signal:
        return None
    return {"kind": RANK_NAMES[session.signal % RANK_SPAN], "at": when(occurred_ms(session.signal))}


def _customer(fields: Mapping[str, str], *, reveal: bool) -> Story:
    """Who it is; without `reveal` so that a person can compare and nobody can call."""

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


def _cart(session: Session, *, reveal: bool) -> object:
    if session.has_bought:
        return "bought"
    if "cart" not in session.fields:
        return None
    cart = cart_of(session.fields)
    if cart is None:
        return "emptied"
    return cart.model_dump(mode="json", exclude_none=True) if reveal else {"lines": len(cart.items or ())}


def _person(facts: Facts | None) -> Story | None:
    if facts is None:
        return None
    return {
        "opted_out": facts.opted_out,
        "bought": facts.bought,
        "reserved_by": facts.reserved_by or None,
        "reserved": when(facts.reserved_at_ms),
    }
