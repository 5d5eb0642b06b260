"""The time zones in which a person might be."""

import tomllib
from collections import defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files

import phonenumbers

from tasks.policy.law.zone_files import zone_name, zones_by_country

_UNKNOWN = "Etc/Unknown"
_AREA_CODE = slice(0, 5)
"""`+1212`"""
_LONGEST_PREFIX = 6
"""Of the corrections: `+52614`."""


def zones_of(
    phone: str, country: str, default: str, own: tuple[str, ...] = (), *, moved: bool = False
) -> tuple[str, ...]:
    """Return the time zones in which a person might be; all of them must be open.

    These are the zones of the number's prefix. For a number without a place, those of the country, else the default.
    The customer's `own` ones are added. A person who moved to another country than the number's might be in any of its
    zones, unless they named one.

    Args:
        phone: E.164, or empty.
        country: ISO 3166-1 alpha-2 of the customer, or empty.
        default: An IANA name.
        own: IANA names.
        moved: Whether the number is another country's.
    """
    found = _zones_of_number(phone)
    at_home = zones_by_country().get(country, ())
    if not found:
        found = at_home or (() if own else (default,))
    elif moved and not own:
        found += at_home
    return tuple(dict.fromkeys((*found, *own)))


def zones_of_area_codes(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the zones of US area codes, such as `212`."""
    return tuple(dict.fromkeys(zone for code in codes for zone in _zones_of_number(f"+1{code}5550123")))


def _zones_of_number(phone: str) -> tuple[str, ...]:
    corrections = _corrections()
    for length in range(_LONGEST_PREFIX, 2, -1):
        if phone[:length] in corrections:
            return corrections[phone[:length]]
    number = parsed(phone)
    if number is None:
        return ()
    from phonenumbers.timezone import time_zones_for_number
    from phonenumbers.tzdata import TIMEZONE_DATA

    found = time_zones_for_number(number)
    if phone.startswith("+1") and len(found) < len(TIMEZONE_DATA["1"]):
        # A mobile number keeps its area code anywhere within the area, so its exchange doesn't matter.
        found = (*found, *_zones_by_area_code().get(phone[_AREA_CODE], ()))
    names = (zone_name(name) for name in found if name != _UNKNOWN)
    return tuple(dict.fromkeys(name for name in names if name))


@lru_cache(maxsize=64)
def parsed(phone: str) -> phonenumbers.PhoneNumber | None:
    """Return a parsed E.164 number; None if it isn't one."""
    try:
        return phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return None


@cache
def _corrections() -> dict[str, tuple[str, ...]]:
    document = tomllib.loads((files("tasks.policy.law") / "data" / "zones.toml").read_text(encoding="utf-8"))
    return {prefix: tuple(row["zones"]) for row in document["correction"] for prefix in row["prefixes"]}


@cache
def _zones_by_area_code() -> dict[str, tuple[str, ...]]:
    from phonenumbers.tzdata import TIMEZONE_DATA

    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) > 3:  # noqa: PLR2004 - the length of an area code
            found["+" + prefix[:4]].update(dict.fromkeys(zones))
    return {code: tuple(zones) for code, zones in found.items()}
