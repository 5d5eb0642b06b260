"""Every reason that an outcome can have, in one place: the source for commands, the report and the documentation."""

from collections.abc import Mapping

from detectors.registry import KINDS
from tasks.policy.rule_table import RULES


def _with_rules(outcome: str, others: Mapping[str, str]) -> dict[str, str]:
    """Return the reasons of an outcome: those of the contact policy in its order, then the others."""
    return {rule.name: rule.meaning for rule in RULES if rule.outcome == outcome} | dict(others)


REASONS: dict[str, dict[str, str]] = {
    "sent": {
        "": "the Recovery Agent accepted the request",
        "by_operator": "an operator found out that it had arrived",
    },
    "cancelled": _with_rules(
        "cancelled",
        {
            "superseded": "another session continues this one (previous_session_id)",
            "forgotten": "winback forget removed the person",
        },
    ),
    "expired": _with_rules(
        "expired",
        {
            "unreadable": "it was encrypted under a key that never came back",
            "by_operator": "winback outreach expire ended it",
            "outreach_gone": "the outreach's record had expired in Redis",
        },
    ),
    "unreachable": {"": "the name or the phone number is missing"},
    "suppressed": _with_rules(
        "suppressed",
        {
            "orders_missing": "no orders arrived at the time of the silence (detection.orders_stopped), "
            "so the shopper might have bought",
            "never_open": "law, holidays and quiet hours leave no time open in all of the person's zones",
            "shadow": "mode shadow: everything was done except the request",
        }
        | {reason: meaning for kind in KINDS for reason, meaning in kind.suppress_meanings.items()},
    ),
    "dead": {
        "": "the request was refused for good: the reason is the status of the reply, with its code, like http_422",
        "attempts_used_up": "delivery.max_attempts attempts failed",
        "stops_its_worker": "its worker stopped during each attempt",
    },
    "unknown": {"": "the request might have arrived; an operator decides. The reason is that of the last attempt"},
}
"""Outcome → reason → meaning. Where one reason is empty, further ones come from Yuno's replies."""

UNNAMED = {"dead": "http_*", "unknown": "(attempt)"}
"""What to show for the empty reason of an outcome whose reasons come from attempts."""

_LAW = "law_"
POSTPONED: dict[str, str] = {
    f"{_LAW}*" if name == "law" else name: meaning
    for name, meaning in _with_rules(
        "postponed",
        {
            "unreadable": "it is encrypted under a key that this worker lacks",
            "person_held": "another outreach might be contacting the person now",
            "session_is_sending": "the request of another outreach of the session is in flight",
            "not_replicated": "too few replicas of Redis acknowledged the attempt (redis_replicas), "
            "so no request was made",
            "state_unreachable": "Redis didn't answer when the attempt was recorded, so no request was made",
        },
    ).items()
}
"""Why an outreach is due again later. `law_*` stands for `law_CO` and all other countries and states."""


def meaning_of(outcome: str, reason: str) -> str:
    """Return the meaning of a reason, as half a sentence; empty if it is unknown.

    `outcome` is an outcome, or `postponed`. A reason from one of Yuno's replies has the meaning of its outcome.
    """
    if outcome == "postponed":
        return POSTPONED[f"{_LAW}*"] if reason.startswith(_LAW) else POSTPONED.get(reason, "")
    meanings = REASONS.get(outcome, {})
    return meanings.get(reason) or meanings.get("", "")


def is_postponement(why: str) -> bool:
    """Whether an outreach is postponed for a reason that is listed here."""
    return why in POSTPONED or (why.startswith(_LAW) and len(why) > len(_LAW))
