"""The rules of the contact policy in their order, one line each. Their functions are in `tasks.policy.rules`."""

from typing import Literal, NamedTuple


class Rule(NamedTuple):
    """One rule. The settings, `winback reasons` and the reference page list it."""

    name: str
    """The name of its function, the reason that it gives, and its name in `contact.disabled_rules`."""
    meaning: str
    """The meaning of the reason, as half a sentence."""
    outcome: Literal["suppressed", "cancelled", "expired", "postponed"] = "suppressed"
    always: bool = False
    """It can't be disabled: it protects the shopper, or no request could be built."""


RULES: tuple[Rule, ...] = (
    Rule("session_gone", "the session had expired in Redis", "expired", always=True),
    Rule("came_back", "the shopper was active again", "cancelled", always=True),
    Rule("paid", "the session's order was completed", "cancelled", always=True),
    Rule("cart_emptied", "the cart was emptied", "cancelled"),
    Rule("active_elsewhere", "the person has been active in another session since", "cancelled"),
    Rule("too_old", "detection.max_abandonment_age passed before a contact was possible", "expired"),
    Rule("invalid_contact", "the number, the country or the name can't be read", always=True),
    Rule("opted_out", "the person doesn't want to be contacted", always=True),
    Rule("no_consent", "every channel was refused", always=True),
    Rule("consent_missing", "the country requires consent, and none was given"),
    Rule("bot", "a robot: too many events a minute, marked as one by the shop, or on the block list"),
    Rule("internal", "staff or a test: on the block list (contact.block), or a number reserved for fiction"),
    Rule("not_on_list", "the person isn't on the test list (contact.test_list)"),
    Rule("ramp", "the person isn't within the share of people that contact.ramp allows"),
    Rule("stage_off", "the stage is disabled (contact.by_stage)"),
    Rule("country_off", "the person's country is disabled (contact.by_country)"),
    Rule("no_cart", "the stage requires a cart (contact.needs_cart), and there is none"),
    Rule("below_minimum", "the cart is worth less than contact.min_value"),
    Rule(
        "bought_recently",
        "the person, or this session, bought within contact.purchase_cooldown",
        always=True,
    ),
    Rule(
        "payment_in_progress",
        "a payment of the person is in progress; checked again every 10 minutes",
        "postponed",
        always=True,
    ),
    Rule("session_limit", "this session was contacted contact.max_per_session times"),
    Rule("contacted_recently", "the person was contacted within contact.cap or a limit"),
    Rule(
        "law",
        "the contact law closes this time where the person might be (winback law show)",
        "postponed",
        always=True,
    ),
    Rule("holiday", "it is one of the shop's own holidays (contact.holidays)", "postponed", always=True),
    Rule("quiet_hours", "it is a quiet time where the person is (contact.quiet_hours)", "postponed"),
    Rule("delay", "contact.delay after the threshold isn't over; a return in the meantime cancels", "postponed"),
    Rule("holdout", "the person is in the holdout: recorded like a contact, for comparison"),
)
"""In the order of their checks. The first objection decides."""
