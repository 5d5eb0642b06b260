"""Where a person might be: the laws and time zones that apply. Pure."""

from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

from tasks.policy.law.regions import area_codes_of, region_of, state_of_number
from tasks.policy.law.zone_files import zone_name
from tasks.policy.law.zones import parsed, zones_of, zones_of_area_codes


@dataclass(frozen=True, slots=True)
class Place:
    """All possible places of a person; all of them must allow a contact."""

    jurisdictions: tuple[str, ...]
    """ISO 3166-1 and 3166-2 codes: the number's country first, then its state, the customer's country and region."""
    zones: tuple[str, ...]
    """IANA names; at least one."""
    ignored: tuple[str, ...] = ()
    """Fields of the customer that name no zone or no region."""


@lru_cache(maxsize=16_384)
def place_of(phone: str, country: str, *, region: str = "", time_zone: str = "", default_zone: str = "UTC") -> Place:
    """Return where a person might be. Unreadable fields are ignored, and named.

    Args:
        phone: E.164, or empty.
        country: ISO 3166-1 alpha-2 of the customer, or empty.
        region: The customer's, as the shop wrote it: `US-FL`, `FL`, `Florida`.
        time_zone: The customer's, as the shop wrote it: an IANA name.
        default_zone: An IANA name, for people whose number and country don't give a zone.
    """
    of_number = country_of_number(phone)
    found = [place for place in (of_number, country) if place]
    home = region_of(region, tuple(reversed(found))) if region.strip() else None
    own = zone_name(time_zone) if time_zone.strip() else None
    own_zones = ((own,) if own else ()) + (zones_of_area_codes(area_codes_of(home)) if home else ())
    ignored = [
        f"customer.{name}"
        for name, text, read in (("time_zone", time_zone, own), ("region", region, home))
        if text.strip() and not read
    ]
    jurisdictions = [*found[:1], state_of_number(phone), *found[1:]]
    jurisdictions += [home[:2], home] if home else []
    return Place(
        jurisdictions=tuple(dict.fromkeys(code for code in jurisdictions if code)),
        zones=zones_of(phone, country, default_zone, own_zones, moved=of_number not in {None, country}),
        ignored=tuple(ignored),
    )


def country_of_number(phone: str) -> str | None:
    """Return the country of an E.164 number (ISO 3166-1 alpha-2); None if it has none, like +800."""
    number = parsed(phone)
    found = phonenumbers.region_code_for_number(number) if number else None
    return found if found and found.isalpha() else None
