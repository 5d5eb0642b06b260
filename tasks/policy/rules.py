"""The rules of the contact policy. Pure: facts and the time go in, one decision comes out."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from detectors.activity import Cart
from detectors.lanes import milliseconds
from detectors.normalize import money
from detectors.session_fields import cart_of, is_bot, was_emptied
from tasks.policy import consent
from tasks.policy.decisions import Cancel, Decision, Expire, HoldOut, Postpone, Send, Suppress
from tasks.policy.law import closings
from tasks.policy.law.places import Place
from tasks.policy.limits import held_for, is_reached
from tasks.policy.openings import Closing
from tasks.policy.rule_table import RULES
from tasks.policy.settings import ContactSettings
from tasks.policy.situation import Situation

_ALL_PERCENT = 100.0
_PAYMENT_CHECK_MS = 10 * 60 * 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Check = Callable[[Situation, ContactSettings], Decision | None]
CHECKS: dict[str, Check] = {}
"""Name of a rule → its function."""


def rule(check: Check) -> Check:
    """Let a function check the rule of its name. It returns the objection to a contact; None: there is none."""
    CHECKS[check.__name__.lstrip("_")] = check
    return check


def decide(situation: Situation, settings: ContactSettings) -> Decision:
    """Return the decision of the first rule that objects."""
    for each in RULES:
        if not each.always and each.name in settings.disabled_rules:
            continue
        if (decision := CHECKS[each.name](situation, settings)) is not None:
            return decision
    return Send()


def share_of(person_id: str, salt: str) -> float:
    """Return a person's place between 0 and 100: stable for one salt, and evenly spread over all people."""
    digest = hmac.digest(salt.encode(), person_id.encode(), sha256)
    return int.from_bytes(digest[:8]) / 2**64 * 100


@rule
def _session_gone(now: Situation, _settings: ContactSettings) -> Decision | None:
    return Expire("session_gone") if not now.session.activity else None


@rule
def _came_back(now: Situation, _settings: ContactSettings) -> Decision | None:
    # The next rule is about a session that was bought.
    is_ours = now.session.state == "abandoned" and now.session.outreach == now.outreach
    return None if is_ours or now.session.state == "bought" else Cancel("came_back")


@rule
def _paid(now: Situation, _settings: ContactSettings) -> Decision | None:
    return Cancel("paid") if now.session.state == "bought" or now.session.has_bought else None


@rule
def _cart_emptied(now: Situation, _settings: ContactSettings) -> Decision | None:
    return Cancel("cart_emptied") if was_emptied(now.session.fields) else None


@rule
def _active_elsewhere(now: Situation, _settings: ContactSettings) -> Decision | None:
    return Cancel("active_elsewhere") if now.elsewhere_ms > now.last_ms else None


@rule
def _too_old(now: Situation, _settings: ContactSettings) -> Decision | None:
    return Expire("too_old") if now.now_ms > now.expires_at_ms else None


@rule
def _invalid_contact(now: Situation, _settings: ContactSettings) -> Decision | None:
    return None if now.reachable else Suppress("invalid_contact")


@rule
def _opted_out(now: Situation, _settings: ContactSettings) -> Decision | None:
    return Suppress("opted_out") if now.person.opted_out else None


@rule
def _no_consent(now: Situation, _settings: ContactSettings) -> Decision | None:
    may = consent.allowed(now.session.fields, now.person.answers, must_be_given=False)
    return None if may and now.repeats <= may else Suppress("no_consent")


@rule
def _consent_missing(now: Situation, settings: ContactSettings) -> Decision | None:
    may = now.may_use(settings)
    return None if may and now.repeats <= may else Suppress("consent_missing")


@rule
def _bot(now: Situation, _settings: ContactSettings) -> Decision | None:
    listed = now.blocked is not None and now.blocked.kind == "bot"
    return Suppress("bot") if listed or is_bot(now.session.fields) else None


@rule
def _internal(now: Situation, _settings: ContactSettings) -> Decision | None:
    return Suppress("internal") if now.blocked is not None and now.blocked.kind == "internal" else None


@rule
def _not_on_list(now: Situation, settings: ContactSettings) -> Decision | None:
    return Suppress("not_on_list") if settings.test_list and not set(now.identities) & set(settings.test_list) else None


@rule
def _ramp(now: Situation, settings: ContactSettings) -> Decision | None:
    # Most shops have neither a ramp nor a holdout, and a person's place costs an HMAC.
    reached = settings.ramp >= _ALL_PERCENT or share_of(now.person_id, "ramp") < settings.ramp
    return None if reached else Suppress("ramp")


@rule
def _stage_off(now: Situation, settings: ContactSettings) -> Decision | None:
    return None if now.at(settings).enabled else Suppress("stage_off")


@rule
def _country_off(now: Situation, settings: ContactSettings) -> Decision | None:
    off = bool(settings.by_country) and now.at(settings).country_off
    return Suppress("country_off") if off else None


@rule
def _no_cart(now: Situation, settings: ContactSettings) -> Decision | None:
    return Suppress("no_cart") if now.stage in settings.needs_cart and cart_of(now.session.fields) is None else None


@rule
def _below_minimum(now: Situation, settings: ContactSettings) -> Decision | None:
    minimum, cart = now.at(settings).min_value, cart_of(now.session.fields)
    if not minimum or cart is None:
        return None
    least = minimum.get(money.currency(cart.currency or "") or "")
    value = value_of(cart)
    return Suppress("below_minimum") if least is not None and value is not None and value < least else None


@rule
def _bought_recently(now: Situation, settings: ContactSettings) -> Decision | None:
    recently = now.purchased_at_ms and now.now_ms - now.purchased_at_ms < milliseconds(settings.purchase_cooldown)
    return Suppress("bought_recently") if recently or now.person.bought else None


@rule
def _payment_in_progress(now: Situation, _settings: ContactSettings) -> Decision | None:
    left_ms = now.person.paying_until_ms - now.now_ms
    # It can end early: declined, it holds nothing any more.
    return Postpone(min(left_ms, _PAYMENT_CHECK_MS), "payment_in_progress") if left_ms > 0 else None


@rule
def _session_limit(now: Situation, settings: ContactSettings) -> Decision | None:
    return Suppress("session_limit") if now.session.contacts >= settings.max_per_session else None


@rule
def _contacted_recently(now: Situation, settings: ContactSettings) -> Decision | None:
    others = [held for held in now.person.contacts if held.outreach != now.outreach]
    if (wait_ms := held_for(others, now_ms=now.now_ms, lease_ms=now.lease_ms)) > 0:
        # That attempt can still end without a contact.
        return Postpone(wait_ms, "person_held")
    reached = any(is_reached(limit, others, now_ms=now.now_ms, lease_ms=now.lease_ms) for limit in now.limits(settings))
    return Suppress("contacted_recently") if reached else None


@rule
def _law(now: Situation, settings: ContactSettings) -> Decision | None:
    there = now.location(settings)
    return _closed(closings.of_law(there, settings), now, there, settings)


@rule
def _holiday(now: Situation, settings: ContactSettings) -> Decision | None:
    if not settings.holidays:
        return None
    there = now.location(settings)
    return _closed(closings.of_holidays(there, settings), now, there, settings)


@rule
def _quiet_hours(now: Situation, settings: ContactSettings) -> Decision | None:
    there = now.location(settings)
    return _closed(closings.of_quiet_hours(now.stage, there, settings), now, there, settings)


def _closed(
    some: tuple[Closing, ...], now: Situation, there: Place, settings: ContactSettings
) -> Postpone | Suppress | None:
    """Postpone a contact at a closed time until everything is open."""
    if not some:
        return None
    moment = _EPOCH + timedelta(milliseconds=now.now_ms)
    closed = closings.closed(some, moment, now.stage, there, settings)
    if closed is None:
        return None
    if closed.opens is None:
        return Suppress("never_open")
    # A part of a millisecond too early would be inside.
    return Postpone(-((moment - closed.opens) // timedelta(milliseconds=1)), closed.why, closed.until_text)


@rule
def _holdout(now: Situation, settings: ContactSettings) -> Decision | None:
    # Last: both groups are observed from the moment at which the others are contacted.
    held_out = settings.holdout > 0 and share_of(now.person_id, f"holdout {settings.holdout_salt}") < settings.holdout
    return HoldOut() if held_out else None


def value_of(cart: Cart) -> float | None:
    """Return a cart's value: its total, else the sum of its lines if each has a price; None: unknown."""
    if cart.total_value is not None or not cart.items:
        return cart.total_value
    prices = [None if item.price is None else item.price * (item.quantity or 1) for item in cart.items]
    known = [price for price in prices if price is not None]
    return sum(known) if len(known) == len(prices) else None
