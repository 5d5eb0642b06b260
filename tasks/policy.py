"""May this person be contacted now? Pure: what is known and the time go in, one decision comes out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from detectors.flow import Stage
from state.people import Facts
from state.sessions import Session
from tasks.record import cart_of, refuses_contact, was_emptied
from tasks.settings import ContactSettings


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a decision rests on. Times are Unix ms of the state server."""

    now_ms: int
    outreach: str
    stage: Stage
    expires_at_ms: int
    session: Session
    purchased_at_ms: int
    """When this session last bought; 0 for never."""
    person: Facts
    reachable: bool
    """Whether a valid request can be built."""
    lease_ms: int


@dataclass(frozen=True, slots=True)
class Send:
    """Nothing speaks against it."""


@dataclass(frozen=True, slots=True)
class Postpone:
    """Not now."""

    delay_ms: int
    why: str


@dataclass(frozen=True, slots=True)
class Suppress:
    """This person is not to be contacted for this abandonment."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """There is nothing to win back any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Expire:
    """It is too late."""

    reason: str


Decision = Send | Postpone | Suppress | Cancel | Expire
Rule = Callable[[Situation, ContactSettings], Decision | None]


def decide(situation: Situation, settings: ContactSettings) -> Decision:
    """Ask each rule in order; the first that has something to say decides."""
    for rule in RULES:
        decision = rule(situation, settings)
        if decision is not None:
            return decision
    return Send()


def _session_gone(now: Situation, _settings: ContactSettings) -> Decision | None:
    return Expire("session_gone") if not now.session.activity else None


def _came_back(now: Situation, _settings: ContactSettings) -> Decision | None:
    if now.session.state == "abandoned" and now.session.outreach == now.outreach:
        return None
    return Cancel("paid" if now.session.state == "bought" else "came_back")


def _cart_emptied(now: Situation, _settings: ContactSettings) -> Decision | None:
    return Cancel("cart_emptied") if was_emptied(now.session.fields) else None


def _too_old(now: Situation, _settings: ContactSettings) -> Decision | None:
    return Expire("too_old") if now.now_ms > now.expires_at_ms else None


def _invalid_contact(now: Situation, _settings: ContactSettings) -> Decision | None:
    return None if now.reachable else Suppress("invalid_contact")


def _refused(now: Situation, _settings: ContactSettings) -> Decision | None:
    if now.person.opted_out:
        return Suppress("opted_out")
    return Suppress("no_consent") if refuses_contact(now.session.fields) else None


def _no_cart(now: Situation, settings: ContactSettings) -> Decision | None:
    return Suppress("no_cart") if now.stage in settings.needs_cart and cart_of(now.session.fields) is None else None


def _bought_recently(now: Situation, settings: ContactSettings) -> Decision | None:
    recently = now.purchased_at_ms and now.now_ms - now.purchased_at_ms < _ms(settings.bought_window)
    return Suppress("bought_recently") if recently or now.person.bought else None


def _contacted(now: Situation, settings: ContactSettings) -> Decision | None:
    if now.session.contacts >= settings.max_per_session:
        return Suppress("session_limit")
    if not now.person.reserved_by or now.person.reserved_by == now.outreach:
        return None
    held_ms = now.now_ms - now.person.reserved_at_ms
    # Until a lease has passed, that attempt may still turn out not to have contacted anybody.
    return Postpone(now.lease_ms - held_ms, "person_held") if held_ms < now.lease_ms else Suppress("contacted_recently")


RULES: tuple[Rule, ...] = (
    _session_gone,
    _came_back,
    _cart_emptied,
    _too_old,
    _invalid_contact,
    _refused,
    _no_cart,
    _bought_recently,
    _contacted,
)
"""In the order of the contact policy. What is added later has its place in this list."""


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
