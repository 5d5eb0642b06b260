"""States and other regions of countries, as ISO 3166-2 codes: `US-FL`."""

import json
import re
import tomllib
import unicodedata
from collections import defaultdict
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

_OTHER_NAME = re.compile(r" ?[\[\](),] ?")
"""`Catalunya [Cataluña]`, `Madrid, Comunidad de`"""


@lru_cache(maxsize=4096)
def region_of(text: str, countries: tuple[str, ...]) -> str | None:
    """Return the region that a text names: `US-FL`, `us_fl`, `FL` or `Florida`; None if it names none.

    A part without its country is searched in `countries` (ISO 3166-1 alpha-2), in this order.
    """
    written = _plain(text)
    country, dash, part = written.partition("-")
    if dash and (found := _regions(country.upper()).get(part)):
        return found
    return next((found for place in countries if (found := _regions(place).get(written))), None)


@cache
def parent_of(region: str) -> str | None:
    """Return the parent of a region: `ES-MD` for `ES-M`; None if that is the country."""
    return next((found.parent for found in _every().get(region[:2], ()) if found.code == region), None)


def state_of_number(phone: str) -> str | None:
    """Return the US state of an E.164 number's area code: `US-FL`."""
    return _states_by_area_code().get(phone[2:5]) if phone.startswith("+1") else None


def area_codes_of(region: str) -> tuple[str, ...]:
    """Return the area codes of a US state; none for other regions."""
    return _area_codes().get(region, ())


class _Region(NamedTuple):
    code: str
    name: str
    parent: str | None


@cache
def _every() -> dict[str, list[_Region]]:
    """Return the regions of each country, in ISO's order; pycountry's own objects would take 8 MB in every worker."""
    database = files("pycountry") / "databases" / "iso3166-2.json"
    found: defaultdict[str, list[_Region]] = defaultdict(list)
    for row in json.loads(database.read_text(encoding="utf-8"))["3166-2"]:
        country, parent = row["code"].partition("-")[0], row.get("parent")
        if parent and not parent.startswith(f"{country}-"):
            parent = f"{country}-{parent}"
        found[country].append(_Region(row["code"], row["name"], parent))
    return dict(found)


@cache
def _area_codes() -> dict[str, tuple[str, ...]]:
    document = tomllib.loads((files("tasks.policy.law") / "data" / "area_codes.toml").read_text(encoding="utf-8"))
    return {f"US-{state}": tuple(map(str, codes)) for state, codes in document.items()}


@cache
def _states_by_area_code() -> dict[str, str]:
    return {code: state for state, codes in _area_codes().items() for code in codes}


@lru_cache(maxsize=256)
def _regions(country: str) -> dict[str, str]:
    """Return each region of a country by its plain name and by the part of its code after the country."""
    every = _every().get(country, ())
    found: dict[str, str] = {}
    # Provinces before the regions that they form: the smaller one implies both.
    for region in sorted(every, key=lambda region: region.parent is None):
        for name in (region.name, *_OTHER_NAME.split(region.name)):
            found.setdefault(_plain(name), region.code)
    return found | {_plain(region.code.partition("-")[2]): region.code for region in every}


def _plain(text: str) -> str:
    """Return a name in lower case, without accents, with dashes between its parts."""
    letters = unicodedata.normalize("NFKD", text.strip().casefold())
    joined = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return "-".join(joined.replace("_", " ").replace("-", " ").split())
