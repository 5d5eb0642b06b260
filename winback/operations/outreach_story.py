"""The story of one outreach as JSON data: decisions with reasons, attempts, and the next step."""

import re
from collections.abc import Mapping
from datetime import timedelta
from itertools import zip_longest

from detectors.durations import format_duration
from state.decisions import HistoryLine, OutreachRecord
from tasks.policy.attempt_reasons import attempt_meaning
from tasks.policy.reasons import meaning_of
from winback.operations.reply_text import masked_reply
from winback.operations.story import Story, encrypted_under, when
from worker.logs.masking import one_line

_ATTEMPT = re.compile(
    r"attempt (?P<number>\d+)(?: in (?P<ms>\d+) ms)?(?: \(left out: (?P<left_out>.*?)\)(?= |$))?"
    r"(?: (?P<status>not made|[a-z0-9_]+(?:\.[A-Za-z0-9_]+)?))?(?: (?P<said>.*))?"
)
_CLAIMED = re.compile(r"claimed silent since (\d+)")
_ASSIGNED = re.compile(r"assigned ([^.]+)\.(.+)")
_SAID = {
    "lease_ran_out": "its worker didn't finish: due again when the lease expired",
    "retry.by_operator": "retried by the operator",
    "dropped.by_operator": "dropped by the operator: it stays dead",
    "forgotten": "its person was forgotten",
}
_BEGINS = {
    "retry": "to be retried: {}",
    "not_sent": "nothing was sent: {}",
    "postponed": "postponed: {}",
}


def explain_outreach(
    record: OutreachRecord, *, reveal: bool, now_ms: int, fields: Mapping[str, str] | None = None
) -> Story:
    """Return the story of one outreach.

    A reply's text might be personal. Without `reveal` it is masked by the `fields` of its session, or left out.
    """
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
            _history_line(line, following, fields or {}, reveal=reveal)
            for line, following in zip_longest(record.history, record.history[1:])
        ],
        "next": _next(record, now_ms),
    }


def _history_line(
    line: HistoryLine, following: HistoryLine | None, fields: Mapping[str, str], *, reveal: bool
) -> Story:
    """Return one line of the history, in words and, for an attempt, in numbers.

    If an attempt wasn't final, its status is the reason in the next line.
    """
    shown: Story = {"at": when(line.at_ms)}
    if found := _ATTEMPT.fullmatch(line.text):
        status = found["status"] or (following.text.partition(".")[2] if following else "") or None
        text = f"attempt {found['number']}"
        text += f" {status}" if status else ""
        text += f", {int(found['ms']):,} ms" if found["ms"] else ""
        text += f" (left out: {found['left_out']})" if found["left_out"] else ""
        text += _reply(found["said"] or "", fields, reveal=reveal)
        numbers = {"attempt": int(found["number"]), "ms": int(found["ms"]) if found["ms"] else None}
        return shown | {"text": text, **numbers, "status": status, "meaning": _meaning(status or "")}
    if found := _CLAIMED.fullmatch(line.text):
        return shown | {"text": f"claimed: silent since {when(int(found[1]))}"}
    if found := _ASSIGNED.fullmatch(line.text):
        return shown | {"text": f"assigned to arm {found[2]} of experiment {found[1]}"}
    word, _, reason = line.text.partition(".")
    if line.text in _SAID:
        text = _SAID[line.text]
    elif word == "postponed":
        text = _BEGINS[word].format(_postponed(reason))
    elif word in _BEGINS:
        text = _BEGINS[word].format(reason)
    else:
        text = f"ended {word}: {reason}" if reason else f"ended {word}"
    return shown | {"text": text, "meaning": meaning_of(word, reason.partition(" until ")[0]) or None}


def _meaning(status: str) -> str | None:
    """Return the meaning of an attempt's status; an attempt without a request can have the reason of a postponement."""
    return attempt_meaning(status) or meaning_of("postponed", status) or None


def _reply(said: str, fields: Mapping[str, str], *, reveal: bool) -> str:
    """Return the reply of Yuno's API, as the end of a line; empty if it had no text."""
    if said.startswith("(outreach.history: is encrypted under key "):
        return f": the reply is {encrypted_under(said)}"
    if not said:
        return ""
    text = one_line(said) if reveal else masked_reply(said, fields)
    return " (--reveal shows the reply)" if text is None else f": {text}"


def _postponed(reason: str) -> str:
    """Describe `law_CO until Monday 07:00`: `law_CO, opens Monday 07:00`."""
    why, until, opens = reason.partition(" until ")
    return f"{why}, opens {opens}" if until else why


def _next(record: OutreachRecord, now_ms: int) -> str:  # noqa: PLR0911 - one return for each state
    until = when(record.lease_ends_ms)
    match record.state:
        case "waiting" if record.lease_ends_ms:
            return f"it is on its way to a worker; if none takes it, it is due again at {until}"
        case "waiting" if record.due_ms > now_ms:
            return f"due at {when(record.due_ms)}; too old for a contact from {when(record.expires_ms)} on"
        case "waiting":
            return "due now: the next free worker gets it, unless sending is blocked (see winback status)"
        case "leased":
            return f"in flight at a worker; if that worker ends, it is due again at {until}"
        case "sending":
            return f"its request is in flight; without a reply it becomes unknown at {until}"
        case "dead" if record.waits_for_decision:
            return f"needs a decision: winback dead retry {record.outreach}, or winback dead drop {record.outreach}"
        case "unknown" if record.waits_for_decision:
            return f"needs a decision: winback unknown resolve --as sent {record.outreach}, or --as retry"
    return "nothing: it has ended"
