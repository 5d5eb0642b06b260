"""The facts on which a decision of the contact policy rests."""

from dataclasses import dataclass
from datetime import timedelta

from detectors.activity import Cart
from detectors.flow import Stage
from detectors.normalize import money
from detectors.session_fields import cart_of
from state.channels import Channel
from state.limit import Limit
from state.people import PersonFacts
from state.session_record import Session
from tasks.policy import consent
from tasks.policy.blocklist import Hit
from tasks.policy.experiment import Arm
from tasks.policy.law.consenting import consent_required
from tasks.policy.law.limits import limits_for
from tasks.policy.law.places import Place, place_of
from tasks.policy.setting_fields import Channel as SettingChannel
from tasks.policy.settings import ContactSettings
from tasks.policy.stage_settings import AtStage


def value_of(cart: Cart) -> float | None:
    """Return a cart's value: its total, else the sum of its lines if each has a price; None: unknown."""
    if cart.total_value is not None or not cart.items:
        return cart.total_value
    prices = [None if item.price is None else item.price * (item.quantity or 1) for item in cart.items]
    known = [price for price in prices if price is not None]
    return sum(known) if len(known) == len(prices) else None


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts for one decision. Times are Unix ms of the state server."""

    now_ms: int
    outreach: str
    stage: Stage
    kind: str
    """The kind of the silence: the name of one of `detectors.registry.KINDS`, such as `declined`."""
    claimed_at_ms: int
    """When the sweep found that the silence had lasted for the threshold."""
    last_ms: int
    """When the last event before the silence occurred."""
    expires_at_ms: int
    session: Session
    purchased_at_ms: int
    """When this session last bought; 0 for never."""
    person_id: str
    """The person, as `state.people.person_of` gives it for the number; empty if that is invalid."""
    phone: str
    """E.164, or empty."""
    country: str
    """ISO 3166-1 alpha-2, or empty."""
    person: PersonFacts
    """The facts about the person from their number and e-mail address together."""
    elsewhere_ms: int
    """When the person was last active in another session that isn't silent, or since the claim; 0 for none."""
    reachable: bool
    """Whether a valid request can be built."""
    lease_ms: int
    identities: tuple[str, ...] = ()
    """The person that a contact reaches, as `detectors.normalize.identities` gives it: the number, the address."""
    blocked: Hit | None = None
    """The block list's entry for name, e-mail address and number."""
    arm: Arm | None = None
    """The person's arm of the experiment; None if they aren't in it."""
    repeats: frozenset[Channel] = frozenset()
    """The channels of an earlier request that is repeated byte by byte; empty for the first."""

    def location(self, settings: ContactSettings) -> Place:
        """Return where the person might be, by the number, and the customer's country, region and time zone."""
        fields = self.session.fields
        return place_of(
            self.phone,
            self.country,
            region=fields.get("region", ""),
            time_zone=fields.get("time_zone", ""),
            default_zone=settings.default_zone,
        )

    def may_use(self, settings: ContactSettings) -> frozenset[Channel]:
        """Return the channels on which the person can be contacted, by the rules of every place where they might be."""
        fields, said = self.session.fields, self.person.answers
        required = frozenset[str]()
        if "consent_missing" not in settings.disabled_rules:
            required = consent_required(self.location(settings).jurisdictions, settings)
        given = consent.allowed(fields, said, must_be_given=True) if required else frozenset[Channel]()
        return given | (consent.allowed(fields, said, must_be_given=False) - required)

    def limits(self, settings: ContactSettings) -> tuple[Limit, ...]:
        """Return how often the person can be contacted, by the settings and every applicable law."""
        return limits_for(self.stage, self.location(settings).jurisdictions, settings)

    def delay(self, settings: ContactSettings) -> timedelta:
        """Return how long after the claim to wait: the arm's delay, else that of the stage."""
        own = None if self.arm is None else self.arm.delay
        return self.at(settings).delay if own is None else own

    def channel(self, settings: ContactSettings) -> SettingChannel:
        """Return the channel of the arm, else the one that the settings choose for this cart.

        An event can name another.
        """
        if self.arm is not None and self.arm.channel is not None:
            return self.arm.channel
        there = self.at(settings)
        cart = cart_of(self.session.fields)
        value = None if cart is None else value_of(cart)
        limit = None if cart is None else there.whatsapp_below.get(money.currency(cart.currency or "") or "")
        return "whatsapp" if value is not None and limit is not None and value < limit else there.channel

    def at(self, settings: ContactSettings) -> AtStage:
        """Return the settings for the stage and the person's countries."""
        return settings.at(self.stage, self.location(settings).jurisdictions if settings.by_country else ())
