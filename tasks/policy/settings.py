"""The settings of the contact policy: the people who aren't contacted, and the times of contacts."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from detectors.durations import Duration, within
from detectors.flow import Stage
from tasks.delivery.settings import Count
from tasks.policy.block_settings import BlockSettings
from tasks.policy.law.zone_files import not_a_zone, zone_name
from tasks.policy.listed_people import People
from tasks.policy.rule_table import RULES
from tasks.policy.setting_fields import (
    LAW,
    Amounts,
    ByCountry,
    Channel,
    ConsentList,
    CountryContact,
    Holidays,
    Limits,
    LongSpan,
    Places,
    Quiet,
    read_list,
)
from tasks.policy.stage_settings import AtStage, Delay, StageContact, all_windows, highest_minimums, values_that_hold


def _read_stages(value: object) -> object:
    try:
        return read_list(value)
    except ValueError:
        raise ValueError("is not a list: write product_selection,cart_review") from None


def _read_switch(value: object) -> object:
    """Return `on` or `off`, also as TOML and YAML write it."""
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


def _read_rules(value: object) -> object:
    found = read_list(value)
    names = [rule.name for rule in RULES if not rule.always]
    for name in found if isinstance(found, list | tuple) else ():
        if name not in names:
            near = get_close_matches(str(name), names, 1)
            raise ValueError(
                f"has {name!r}, which isn't a rule that can be disabled: write "
                + (f"{near[0]} (winback reasons lists them)" if near else "a name that winback reasons lists")
            )
    return found


Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class ContactSettings(BaseModel):
    """The `[contact]` section: the people who can be contacted, and when.

    Attributes:
        law: Whether the law table restricts these settings.
        law_off: Countries (with all their states) and states whose entry of that table isn't used.
        cap: A person is contacted at most once within this time: short for one of the limits.
        limits: The most contacts of a person within any such time.
        max_per_session: Contacts for one session, however often it is abandoned.
        purchase_cooldown: People who bought within this window aren't contacted.
        attribution_window: An order within this time after a contact counts as recovered by it.
        quiet_hours: When no person is contacted, in the person's own time.
        holidays: The shop's own days without contacts, everywhere or in one country or state.
        default_zone: The time zone of a person whose number and country don't give one.
        needs_cart: Stages at which a session without a cart isn't contacted.
        require_consent: Countries in which people are contacted only with consent; "law": those whose law requires it.
        min_value: The lowest value of a cart, by currency; other currencies have no limit.
        channel: The channel if the event doesn't name one.
        whatsapp_below: Carts worth less get a WhatsApp message instead of `channel`, by currency.
        delay: How long to wait after the threshold. A shopper who comes back in this time isn't contacted.
        test_list: The test list, as identities of people: unless it is empty, no other people are contacted.
        ramp: The share of all people who can be contacted, in percent; always the same people.
        holdout: The share of all people who are recorded like a contact but not contacted, in percent.
        holdout_salt: Another text chooses other people for the holdout.
        by_stage: Differences at one stage.
        by_country: Differences in one country: that of the number, or of the customer.
        disabled_rules: Rules that aren't applied.
        block: Robots, staff and tests.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    law: Annotated[Literal["on", "off"], BeforeValidator(_read_switch)] = "on"
    law_off: Places = ()
    cap: LongSpan = timedelta(hours=24)
    limits: Limits = ()
    max_per_session: Count = Field(default=1, ge=1, le=100)
    purchase_cooldown: LongSpan = timedelta(hours=24)
    attribution_window: Annotated[Duration, within("1s", "21d")] = timedelta(hours=72)
    quiet_hours: Quiet = Field(default="21:00-08:00", validate_default=True)
    holidays: Holidays = ()
    default_zone: str = "UTC"
    needs_cart: Annotated[tuple[Stage, ...], BeforeValidator(_read_stages)] = ("product_selection",)
    require_consent: ConsentList = ("BR", "MX")
    min_value: Amounts = Field(default_factory=dict)
    channel: Channel = "auto"
    whatsapp_below: Amounts = Field(default_factory=dict)
    delay: Delay = timedelta(0)
    test_list: People = ()
    ramp: Percent = 100.0
    holdout: Percent = 0.0
    holdout_salt: str = ""
    by_stage: dict[Stage, StageContact] = Field(default_factory=dict)
    by_country: ByCountry = Field(default_factory=dict)
    disabled_rules: Annotated[tuple[str, ...], BeforeValidator(_read_rules)] = ()
    block: BlockSettings = BlockSettings()

    @field_validator("default_zone")
    @classmethod
    def _is_a_zone(cls, text: str) -> str:
        name = zone_name(text)
        if name is None:
            raise ValueError(not_a_zone(text))
        return name

    @model_validator(mode="after")
    def _asks_a_table_that_is_used(self) -> Self:
        if self.law == "off" and LAW in self.require_consent:
            raise ValueError('law = "off" removes the table that require_consent = "law" needs: name the countries')
        return self

    @property
    def longest_cap(self) -> timedelta:
        """The longest `cap` of any stage and country."""
        caps = (self.at(stage, place).cap for stage in get_args(Stage) for place in ((), *zip(self.by_country)))
        return max(caps)

    def at(self, stage: Stage, jurisdictions: Sequence[str] = ()) -> AtStage:
        """Return the settings at a stage for a person of certain countries.

        `jurisdictions`: ISO 3166-1 alpha-2 codes count; others are ignored.
        Settings of a stage or a country replace the general ones. If several apply, the stricter one counts: each one's
        quiet hours, the longer cap, the higher minimum, all limits. For the channel, the first country takes precedence
        over the stage.
        """
        own = self.by_stage.get(stage, _AS_EVERYWHERE)
        if self.by_country:
            there = [self.by_country.get(code, _AS_ANYWHERE) for code in jurisdictions if "-" not in code]
            return self._in_countries(own, there)
        return AtStage(
            enabled=own.enabled,
            channel=own.channel or self.channel,
            whatsapp_below=self._whatsapp_below(own),
            delay=self.delay if own.delay is None else own.delay,
            min_value=self.min_value if own.min_value is None else own.min_value,
            cap=own.cap or self.cap,
            quiet_hours=self.quiet_hours if own.quiet_hours is None else own.quiet_hours,
            limits=self.limits + (own.limits or ()),
        )

    def _whatsapp_below(self, own: StageContact) -> Mapping[str, float]:
        return self.whatsapp_below if own.whatsapp_below is None else own.whatsapp_below

    def _in_countries(self, own: StageContact, there: Sequence[CountryContact]) -> AtStage:
        limits = (self.limits, own.limits, *(each.limits for each in there))
        channel = next((each.channel for each in there if each.channel), None)
        return AtStage(
            enabled=own.enabled,
            channel=channel or own.channel or self.channel,
            # A country's own channel is its channel for every cart.
            whatsapp_below={} if channel else self._whatsapp_below(own),
            delay=self.delay if own.delay is None else own.delay,
            min_value=highest_minimums(
                values_that_hold(self.min_value, own.min_value, [each.min_value for each in there])
            ),
            cap=max(values_that_hold(self.cap, own.cap, [each.cap for each in there])),
            quiet_hours=all_windows(
                values_that_hold(self.quiet_hours, own.quiet_hours, [each.quiet_hours for each in there])
            ),
            limits=tuple(limit for several in limits for limit in several or ()),
            country_off=not all(each.enabled for each in there),
        )


_AS_EVERYWHERE = StageContact()
_AS_ANYWHERE = CountryContact()
