"""Whether anything but time speaks against a contact: the rules of the contact policy, on what a recording says.

Of the policy's rules, those of time and chance don't count here: caps, limits, the ramp, the test list and the holdout.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, cast

from detectors.flow import PLATFORMS, STAGES, Stage
from detectors.normalize.identities import of_number
from detectors.session_fields import PHONE_COUNTRY
from tasks.delivery.payload import country_of, phone_of
from tasks.policy.law.consenting import consent_required
from tasks.policy.law.places import Place, place_of
from tasks.policy.quiet_hours import QuietHours
from tasks.policy.settings import ContactSettings
from tasks.policy.stage_settings import AtStage
from winback.tuning.reading import person_of
from winback.tuning.recorded import person_in
from winback.tuning.said import CLOSED, EMPTIED, NOTHING, Said, Worth, merged

_QUIET_HOURS = "quiet_hours"
_NEVER_QUIET = QuietHours()
_PEOPLE_KEPT = 65_536
_CHANNELS = ("call", "whatsapp")


class Reached(NamedTuple):
    """The person that a call would reach."""

    phone: str
    """E.164; empty: none that can be called."""
    country: str
    """ISO 3166-1 alpha-2; empty: none that a request can name."""
    person: int


class Shopper(NamedTuple):
    """What is known of a session's shopper."""

    said: Said
    reached: Reached


class Clock(NamedTuple):
    """Whose clock counts, and which hours are quiet by it."""

    zones: tuple[str, ...]
    hours: QuietHours


class Shoppers:
    """Reads what events say about shoppers, for `thresholds.collector`."""

    def __init__(self, settings: ContactSettings) -> None:
        self._settings = settings
        self._disabled = frozenset(settings.disabled_rules)
        self._clocks: dict[Clock, int] = {}
        self._answers: dict[int, dict[str, bool]] = {}
        self._by_stage = {stage: settings.at(stage) for stage in STAGES}
        self._required = lru_cache(maxsize=4096)(lambda places: consent_required(places, settings))
        self._reached = lru_cache(maxsize=_PEOPLE_KEPT)(_reached)
        self.contactable = bytearray()
        """For each eligible silence, in order: 1 if the shopper could be reached and had not refused."""
        self.has_customers = False
        """Whether any event has named a customer."""
        self._has_carts = False
        self._left_out: dict[Stage, bool] = {}
        """For each stage where a cart was needed, whether all silences were left out."""

    def learned(self, known: Shopper | None, said: object, *, is_late: bool) -> Shopper:
        """Return what is known of a shopper after an event."""
        new = cast("Said", said)
        if known is not None and known.said == new:
            return known
        after = merged(known.said, new, is_late=is_late) if known else new
        if not self.has_customers and new.has_customer:
            self.has_customers = True
        if new.cart is not None and new.cart != CLOSED:
            self._has_carts = True
        shopper = Shopper(after, self._reached(after.phone, after.phone_country, after.country))
        if shopper.reached.person and (new.call is not None or new.whatsapp is not None):
            answers = self._answers.setdefault(shopper.reached.person, {})
            answers.update((name, yes) for name in _CHANNELS if (yes := getattr(new, name)) is not None)
        return shopper

    def person(self, known: Shopper) -> int:
        """Return the hash of the person; 0: not known."""
        return known.reached.person

    def is_eligible(self, known: Shopper | None, rank: int) -> bool:
        """Return whether nothing but time speaks against a contact, if the shopper can be reached."""
        stage = STAGES[rank // len(PLATFORMS)]
        said = known.said if known else NOTHING
        if (said.bot and self._counts("bot")) or (said.cart == EMPTIED and self._counts("cart_emptied")):
            return False
        if stage in self._settings.needs_cart and self._counts("no_cart"):
            if said.cart is None or said.cart in {EMPTIED, CLOSED}:
                self._left_out.setdefault(stage, True)
                return False
            self._left_out[stage] = False
        at = self._at(known, stage)
        if not at.enabled and self._counts("stage_off"):
            return False
        if at.country_off and self._counts("country_off"):
            return False
        if isinstance(said.cart, Worth) and said.cart.value is not None and self._counts("below_minimum"):
            least = at.min_value.get(said.cart.currency)
            if least is not None and said.cart.value < least:
                return False
        self.contactable.append(self._is_contactable(known))
        return True

    def clock(self, known: Shopper | None, rank: int) -> int:
        """Return the place of the person's closed hours in `clocks`."""
        place = self._place(known)
        hours = self._at(known, STAGES[rank // len(PLATFORMS)]).quiet_hours if self._has_quiet_hours else _NEVER_QUIET
        return self._clocks.setdefault(Clock(place.zones, hours), len(self._clocks))

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """Every clock so far, by its place."""
        return tuple(self._clocks)

    @property
    def without_cart(self) -> tuple[Stage, ...]:
        """Stages at which a cart is needed, if no event has one."""
        return () if self._has_carts else tuple(stage for stage, is_left_out in self._left_out.items() if is_left_out)

    @property
    def _has_quiet_hours(self) -> bool:
        return self._counts(_QUIET_HOURS)

    def _counts(self, rule: str) -> bool:
        return rule not in self._disabled

    def _at(self, known: Shopper | None, stage: Stage) -> AtStage:
        if not self._settings.by_country:
            return self._by_stage[stage]
        return self._settings.at(stage, self._place(known).jurisdictions)

    def _is_contactable(self, known: Shopper | None) -> bool:
        if known is None or not known.reached.country or not known.said.named:
            return False
        said, person = known.said, known.reached.person
        answers = {"call": said.call, "whatsapp": said.whatsapp, **self._answers.get(person, {})}
        required: frozenset[str] = frozenset()
        if self._counts("consent_missing"):
            required = self._required(self._place(known).jurisdictions)
        return any(answers[name] or (answers[name] is None and name not in required) for name in _CHANNELS)

    def _place(self, known: Shopper | None) -> Place:
        if known is None:
            return place_of("", "", default_zone=self._settings.default_zone)
        said = known.said
        return place_of(
            known.reached.phone,
            known.reached.country,
            region=said.region or "",
            time_zone=said.time_zone or "",
            default_zone=self._settings.default_zone,
        )


def _reached(phone: str | None, phone_country: str | None, country: str | None) -> Reached:
    if phone and (recorded := person_in(phone)):
        return Reached(recorded.example, country_of(country or "", recorded.example) or "", recorded.person)
    fields: Mapping[str, str] = {"phone": phone or "", PHONE_COUNTRY: phone_country or "", "country": country or ""}
    number = phone_of(fields) if phone else None
    if not number:
        return _NOT_REACHED
    return Reached(number, country_of(country or "", number) or "", person_of(of_number(number)))


_NOT_REACHED = Reached("", "", 0)
