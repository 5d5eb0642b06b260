"""Text forms of the contact settings: limits, holidays, places, and differences by country."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator

from detectors.durations import Duration, within
from detectors.normalize.country_codes import ALPHA_2
from state import channels
from state.limit import Limit
from tasks.policy import quiet_hours
from tasks.policy.law.limit_text import parse_limit, write_limit
from tasks.policy.law.regions import region_of
from tasks.policy.quiet_hours import QuietHours

Channel = Literal["call", "whatsapp", "auto"]
LAW = "law"
"""In `require_consent`: every country whose law requires it."""


class Holiday(NamedTuple):
    """A day on which the shop contacts no one."""

    place: str
    """ISO 3166-1 or 3166-2 code; empty: everywhere."""
    day: date


@dataclass(frozen=True, slots=True)
class Names:
    """Metadata of a section with free keys: how a key is read; None: it is invalid."""

    read: Callable[[str], str | None]


def read_list(value: object) -> object:
    """Return a list from `a, b` or a JSON list in text form, because an environment variable can't hold a list."""
    if not isinstance(value, str):
        return value
    if value.strip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("is not a list: write the first,the second") from None
    return [part.strip() for part in value.split(",") if part.strip()]


def read_country(text: object) -> str | None:
    """Return the ISO 3166-1 alpha-2 code that a text names, also with `_` for a space; None if there is none."""
    if not isinstance(text, str):
        return None
    if text in ALPHA_2:
        return text
    from detectors.normalize import countries

    return countries.country(text) or countries.country(text.replace("_", " "))


def _read_amounts(value: object) -> object:
    """Return a table of amounts by currency, also from `USD=20,COP=50000` in text form."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if not all(equals for _, equals, _ in pairs):
            raise ValueError("is not a list of amounts: write USD=20,COP=50000")
        value = {name.strip(): amount.strip() for name, _, amount in pairs}
    if not isinstance(value, Mapping):
        raise ValueError("is not a table of amounts: write { USD = 20, COP = 50000 }")  # noqa: TRY004 - pydantic's
    from detectors.normalize import money

    found = {}
    for name, amount in value.items():
        code = money.currency(str(name))
        if code is None:
            raise ValueError(f"{name!r} is no currency: write ISO 4217 codes such as USD, COP")
        found[code] = amount
    return found


def _read_quiet_hours(value: object) -> QuietHours:
    return quiet_hours.parse(value)


def _read_limits(value: object) -> tuple[Limit, ...]:
    found = read_list(value)
    if not isinstance(found, list | tuple):
        raise ValueError('is not a list of limits: write ["1/24h", "4/30d"]')  # noqa: TRY004 - pydantic's
    return tuple(_each(item, parse_limit) for item in found)


def _each(item: object, read: Callable[[object], Limit]) -> Limit:
    try:
        return read(item)
    except ValueError as problem:
        raise ValueError(f"{item!r} {problem}") from None


def read_place(text: str) -> str | None:
    """Return the ISO 3166-1 or 3166-2 code that a text names: `CO`, `Colombia`, `US-FL`; None if there is none."""
    return region_of(text, ()) or read_country(text)


def _read_places(value: object) -> object:
    found = read_list(value)
    if not isinstance(found, list | tuple):
        return found
    places = [read_place(text) if isinstance(text, str) else None for text in found]
    for text, place in zip(found, places, strict=True):
        if place is None:
            raise ValueError(f"{text!r} is neither a country nor a state: write codes such as ES,US-FL")
    return places


def _read_consent_list(value: object) -> object:
    found = read_list(value)
    if not isinstance(found, list | tuple):
        return found
    codes = [LAW if isinstance(text, str) and text.strip().lower() == LAW else read_country(text) for text in found]
    for text, code in zip(found, codes, strict=True):
        if code is None:
            raise ValueError(f"{text!r} is not a country: write codes such as BR,MX, or law")
    return codes


def _read_holidays(value: object) -> object:
    found = read_list(value)
    if not isinstance(found, list | tuple):
        raise ValueError('is not a list of days: write ["2026-12-24", "CO:2026-12-31"]')  # noqa: TRY004 - pydantic's
    return tuple(dict.fromkeys(_read_holiday(item) for item in found))


def _read_holiday(item: object) -> Holiday:
    if isinstance(item, Holiday):
        return item
    if isinstance(item, date):
        return Holiday("", item.date() if isinstance(item, datetime) else item)
    place, colon, day = item.rpartition(":") if isinstance(item, str) else ("", "", "")
    try:
        read = date.fromisoformat(day.strip())
    except ValueError:
        raise ValueError(f"{item!r} is not a day: write 2026-12-24, or CO:2026-12-24") from None
    code = read_place(place) if colon else ""
    if code is None:
        raise ValueError(f"{item!r} begins with neither a country nor a state: write CO:2026-12-24")
    return Holiday(code, read)


def _write_holiday(holiday: Holiday) -> str:
    return f"{holiday.place}:{holiday.day}" if holiday.place else str(holiday.day)


def _read_required(value: object) -> object:
    """Return the channels of `true` (every channel), `false` (none) or a list."""
    switches = {"true": channels.CHANNELS, "false": ()}
    text = str(value).strip().lower()
    return switches[text] if isinstance(value, bool | str) and text in switches else read_list(value)


def _read_by_country(value: object) -> object:
    """Return the table with its keys as countries, from any spelling."""
    if not isinstance(value, Mapping):
        return value
    found: dict[str, object] = {}
    for key, section in value.items():
        code = read_country(key)
        if code is None:
            raise ValueError(f"{key!r} is not a country: write a code such as CO")
        if code in found:
            raise ValueError(f"{key!r} is {code}, which is listed already: write it once")
        found[code] = section
    return found


LongSpan = Annotated[Duration, within("1ms", "365d")]
Quiet = Annotated[QuietHours, PlainValidator(_read_quiet_hours), PlainSerializer(quiet_hours.write)]
Amounts = Annotated[dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]], BeforeValidator(_read_amounts)]
Limits = Annotated[
    tuple[Limit, ...],
    PlainValidator(_read_limits),
    PlainSerializer(lambda limits: [write_limit(one) for one in limits]),
]
Holidays = Annotated[
    tuple[Holiday, ...],
    PlainValidator(_read_holidays),
    PlainSerializer(lambda holidays: [_write_holiday(one) for one in holidays]),
]
Places = Annotated[tuple[str, ...], BeforeValidator(_read_places)]
ConsentList = Annotated[tuple[str, ...], BeforeValidator(_read_consent_list)]


class CountryContact(BaseModel):
    """Differences in one country; missing fields are as everywhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    channel: Channel | None = None
    min_value: Amounts | None = None
    cap: LongSpan | None = None
    limits: Limits | None = None
    quiet_hours: Quiet | None = None
    require_consent: Annotated[tuple[channels.Channel, ...] | None, BeforeValidator(_read_required)] = None


ByCountry = Annotated[dict[Annotated[str, Names(read_country)], CountryContact], BeforeValidator(_read_by_country)]
