"""Every reason that an outcome can have, in one place: what commands, the report and the documentation draw from."""

REASONS: dict[str, dict[str, str]] = {
    "sent": {
        "": "the Recovery Agent took the request",
        "by_operator": "a person found out that it had arrived",
    },
    "cancelled": {
        "came_back": "the shopper was active again",
        "paid": "the session's order was completed",
        "cart_emptied": "the cart was emptied",
        "active_elsewhere": "the person is shopping in another session",
        "superseded": "another session took this one over (previous_session_id)",
        "forgotten": "winback forget removed the person",
    },
    "expired": {
        "too_old": "it could not be contacted before detection.max_abandonment_age had passed",
        "unreadable": "it was encrypted under a key that never came back",
        "by_operator": "winback outreach expire ended it",
        "session_gone": "the session had expired in Redis",
        "outreach_gone": "the outreach's record had expired in Redis",
    },
    "unreachable": {"": "the name or the phone number is missing"},
    "suppressed": {
        "invalid_contact": "no valid request can be built: the number, the country or the name cannot be read",
        "opted_out": "the person does not want to be contacted",
        "no_consent": "every channel was refused",
        "consent_missing": "the country requires consent, and none was given",
        "bot": "a robot: too many events a minute, marked as one by the shop, or on the block list",
        "internal": "staff or a test: on the block list (contact.block, or a number that is reserved for fiction)",
        "not_on_list": "the person is not on the test list (contact.test_list)",
        "ramp": "the person is not among those that contact.ramp lets through",
        "stage_off": "the stage is switched off",
        "country_off": "the person's country is switched off (contact.by_country)",
        "no_cart": "the stage needs a cart, and there is none",
        "below_minimum": "the cart is worth less than contact.min_value",
        "bought_recently": "the person, or this session, bought within contact.purchase_cooldown",
        "orders_missing": "no orders arrived at the time of the silence (detection.orders_stopped): it may have bought",
        "session_limit": "this session was contacted contact.max_per_session times",
        "contacted_recently": "the person was contacted within contact.cap",
        "never_open": "law, holidays and quiet hours leave no time open in all of the person's zones",
        "holdout": "the person is in the holdout: recorded like a contact, to compare with",
        "shadow": "mode shadow: everything was done but the request",
        "declined_off": "a refused payment, and detection.declined is off",
    },
    "dead": {"": "it will never be accepted; the reason is Yuno's, or that attempts were used up"},
    "unknown": {"": "nobody can say whether the request arrived; a person decides"},
}
"""Outcome → reason → what it means. Where one reason is empty, further ones come from Yuno's replies."""

POSTPONED: dict[str, str] = {
    "law_*": "the contact law closes this time where the person may be; * is the country or state (winback law show)",
    "holiday": "it is one of the shop's own holidays (contact.holidays)",
    "quiet_hours": "it is a quiet time where the person is",
    "unreadable": "it is encrypted under a key that this worker does not have",
    "payment_in_progress": "a payment of the person is in progress; checked again every 10 minutes",
    "person_held": "another outreach may just be contacting the person",
    "session_is_sending": "another outreach of the session is on its way",
    "not_replicated": "too few replicas of Redis know of the attempt (redis_replicas), so no request was made",
    "state_unreachable": "Redis did not answer when the attempt was to be recorded, so no request was made",
}
"""Why an outreach is due again later."""


def is_postponement(why: str) -> bool:
    """Whether something is put off for a reason that is listed here."""
    return why in POSTPONED or (why.startswith("law_") and len(why) > len("law_"))
