"""The settings of the contact policy: whom to leave alone, and when."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator, field_validator

from detectors.durations import Duration, within
from detectors.flow import Stage
from detectors.normalize import countries, money, phones
from tasks import quiet_hours
from tasks.block_settings import BlockSettings
from tasks.quiet_hours import QuietHours
from tasks.settings import Count

Channel = Literal["call", "whatsapp", "auto"]
Switch = Literal[
    "cart_emptied",
    "active_elsewhere",
    "too_old",
    "consent",
    "bot",
    "internal",
    "test_list",
    "ramp",
    "stage",
    "cart",
    "min_value",
    "session_limit",
    "cap",
    "quiet_hours",
    "holdout",
]
"""The rules that can be switched off; not those about who paid, came back or opted out, nor what no request needs."""

_LongSpan = Annotated[Duration, within("1ms", "365d")]


def _read_list(value: object) -> object:
    """Read `a, b` or a JSON list from text: an environment variable can hold no list."""
    if not isinstance(value, str):
        return value
    if value.strip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("is not a list: write the first,the second") from None
    return [part.strip() for part in value.split(",") if part.strip()]


def _read_stages(value: object) -> object:
    try:
        return _read_list(value)
    except ValueError:
        raise ValueError("is not a list: write product_selection,cart_review") from None


def _read_countries(value: object) -> object:
    found = _read_list(value)
    if not isinstance(found, list | tuple):
        return found
    codes = [countries.country(text) if isinstance(text, str) else None for text in found]
    for text, code in zip(found, codes, strict=True):
        if code is None:
            raise ValueError(f"{text!r} is not a country: write codes such as BR,MX")
    return codes


def _read_numbers(value: object) -> object:
    found = _read_list(value)
    if not isinstance(found, list | tuple):
        return found
    numbers = [phones.phone(text, None) if isinstance(text, str) else None for text in found]
    for place, number in enumerate(numbers, 1):
        if number is None:
            raise ValueError(f"number {place} of the list is not a phone number with its country: write +573001234567")
    return numbers


def _read_amounts(value: object) -> object:
    """Read a table of amounts by currency, or `USD=20,COP=50000` from text."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if not all(equals for _, equals, _ in pairs):
            raise ValueError("is not a list of amounts: write USD=20,COP=50000")
        value = {name.strip(): amount.strip() for name, _, amount in pairs}
    if not isinstance(value, Mapping):
        raise ValueError("is not a table of amounts: write { USD = 20, COP = 50000 }")  # noqa: TRY004 - pydantic's
    found = {}
    for name, amount in value.items():
        code = money.currency(str(name))
        if code is None:
            raise ValueError(f"{name!r} is no currency: write ISO 4217 codes such as USD, COP")
        found[code] = amount
    return found


def _read_quiet_hours(value: object) -> QuietHours:
    return quiet_hours.parse(value)


Quiet = Annotated[QuietHours, PlainValidator(_read_quiet_hours), PlainSerializer(quiet_hours.write)]
Amounts = Annotated[dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]], BeforeValidator(_read_amounts)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Numbers = Annotated[
    tuple[str, ...], BeforeValidator(_read_numbers), PlainSerializer(lambda numbers: f"{len(numbers)} numbers")
]


class StageContact(BaseModel):
    """What differs at one stage; what is left out is as everywhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    channel: Channel | None = None
    min_value: Amounts | None = None
    cap: _LongSpan | None = None
    quiet_hours: Quiet | None = None


@dataclass(frozen=True, slots=True)
class AtStage:
    """What holds at one stage."""

    enabled: bool
    channel: Channel
    min_value: Mapping[str, float]
    cap: timedelta
    quiet_hours: QuietHours


class ContactSettings(BaseModel):
    """The `[contact]` section: whom to leave alone.

    Attributes:
        cap: A person is contacted at most once within this time.
        max_per_session: Contacts for one session, however often it is abandoned.
        bought_window: Who bought within this time is not contacted.
        attribution_window: An order within this time after a contact counts as recovered by it.
        quiet_hours: When nobody is contacted, in the person's own time.
        default_zone: The time zone of a person of whom neither number nor country tells it.
        needs_cart: Stages at which a session without a cart is not worth a contact.
        require_consent: Countries in which nobody is contacted who did not allow it.
        min_value: The least that a cart must be worth, by currency; other currencies are not limited.
        channel: How to contact those whose event does not say.
        only: The test list: when it names anybody, nobody else is contacted.
        ramp: The share of all people who may be contacted, in percent; the same people at every time.
        holdout: The share of all people who are recorded like a contact but not contacted, in percent.
        holdout_salt: Another text chooses other people for the holdout.
        by_stage: What differs at one stage.
        off: Rules that are not to be asked.
        block: Shoppers that are robots, staff or tests.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cap: _LongSpan = timedelta(hours=24)
    max_per_session: Count = Field(default=1, ge=1, le=100)
    bought_window: _LongSpan = timedelta(hours=24)
    attribution_window: Annotated[Duration, within("1s", "21d")] = timedelta(hours=72)
    quiet_hours: Quiet = Field(default="21:00-08:00", validate_default=True)
    default_zone: str = "UTC"
    needs_cart: Annotated[tuple[Stage, ...], BeforeValidator(_read_stages)] = ("product_selection",)
    require_consent: Annotated[tuple[str, ...], BeforeValidator(_read_countries)] = ("BR", "MX")
    min_value: Amounts = Field(default_factory=dict)
    channel: Channel = "auto"
    only: Numbers = ()
    ramp: Percent = 100.0
    holdout: Percent = 0.0
    holdout_salt: str = ""
    by_stage: dict[Stage, StageContact] = Field(default_factory=dict)
    off: Annotated[tuple[Switch, ...], BeforeValidator(_read_list)] = ()
    block: BlockSettings = BlockSettings()

    @field_validator("default_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError):  # what is not found, and what is no name
            raise ValueError("is no time zone: write one of the IANA names, like America/Bogota") from None
        return name

    @property
    def longest_cap(self) -> timedelta:
        """The longest of all caps: for so long a contact has to be remembered."""
        return max(self.at(stage).cap for stage in get_args(Stage))

    def at(self, stage: Stage) -> AtStage:
        """Return what holds at a stage."""
        own = self.by_stage.get(stage, _AS_EVERYWHERE)
        return AtStage(
            enabled=own.enabled,
            channel=own.channel or self.channel,
            min_value=self.min_value if own.min_value is None else own.min_value,
            cap=own.cap or self.cap,
            quiet_hours=self.quiet_hours if own.quiet_hours is None else own.quiet_hours,
        )


_AS_EVERYWHERE = StageContact()
