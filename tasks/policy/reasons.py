"""Every reason of an outcome, for commands, the report and the documentation."""

REASONS: dict[str, dict[str, str]] = {
    "sent": {
        "": "the Recovery Agent accepted the request",
        "by_operator": "an operator recorded that it had arrived",
    },
    "cancelled": {
        "came_back": "the shopper was active again",
        "paid": "the session's order was completed",
        "cart_emptied": "the cart was emptied",
        "active_elsewhere": "the person is shopping in another session",
        "superseded": "another session continued this one (previous_session_id)",
        "forgotten": "winback forget erased the person",
    },
    "expired": {
        "too_old": "no contact was possible within detection.max_abandonment_age",
        "unreadable": "it was encrypted under a key that stayed missing",
        "by_operator": "winback outreach expire ended it",
        "session_gone": "the session had expired in Redis",
        "outreach_gone": "the outreach's record had expired in Redis",
    },
    "unreachable": {"": "the name or the phone number is missing"},
    "suppressed": {
        "invalid_contact": "the number, the country or the name is invalid, so no request can be built",
        "opted_out": "the person opted out",
        "no_consent": "every channel was refused",
        "consent_missing": "the country requires consent, and none was given",
        "bot": "a robot: too many events a minute, marked by the shop, or on the block list",
        "internal": "staff or a test: on the block list (contact.block, or a number that is reserved for fiction)",
        "not_on_list": "the person is not on the test list (contact.test_list)",
        "ramp": "the person is outside the share of contact.ramp",
        "stage_off": "the stage is switched off",
        "country_off": "the person's country is switched off (contact.by_country)",
        "no_cart": "the stage needs a cart, and there is none",
        "below_minimum": "the cart's value is below contact.min_value",
        "bought_recently": "the person, or this session, bought within contact.purchase_cooldown",
        "orders_missing": "no orders arrived during the silence (detection.orders_stopped): it might have bought",
        "session_limit": "this session was contacted contact.max_per_session times",
        "contacted_recently": "the person was contacted within contact.cap",
        "never_open": "law, holidays and quiet hours leave no time that is open in all of the person's zones",
        "holdout": "the person is in the holdout: recorded like a contact, for comparison",
        "shadow": "mode shadow: everything was done but the request",
        "declined_off": "a refused payment, and detection.declined is off",
    },
    "dead": {"": "the request can't succeed: Yuno's reason, or all attempts were used"},
    "unknown": {"": "it is unknown whether the request arrived; an operator decides"},
}
"""Outcome → reason → its meaning. If one reason is empty, further ones come from Yuno's replies."""

POSTPONED: dict[str, str] = {
    "law_*": "the contact law closes this time where the person might be; * is the country or state (winback law show)",
    "holiday": "it is one of the shop's own holidays (contact.holidays)",
    "quiet_hours": "it is a quiet time where the person is",
    "unreadable": "it is encrypted under a key that this worker lacks",
    "payment_in_progress": "a payment of the person is in progress; checked again every 10 minutes",
    "person_held": "another outreach might be contacting the person now",
    "session_is_sending": "another outreach of the session is in flight",
    "not_replicated": "too few replicas of Redis acknowledged the attempt (redis_replicas), so no request was made",
    "state_unreachable": "Redis didn't answer when the attempt was recorded, so no request was made",
}
"""Reasons why an outreach is due again later."""


def is_postponement(why: str) -> bool:
    """Return whether this is a listed reason for a postponement."""
    return why in POSTPONED or (why.startswith("law_") and len(why) > len("law_"))
