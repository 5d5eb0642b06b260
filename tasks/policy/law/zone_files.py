"""Time zones from the pinned `tzdata` package only: the host's zone files can be years old."""

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_PACKAGE = files("tzdata")
_CLOSE = 0.8  # of difflib's ratio
_ADVICE = "write an IANA name, like America/Bogota, or UTC"


@cache
def zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name from `zone_name`.

    `ZoneInfo(name)` would read the host's files, or those in PYTHONTZPATH, before the package.

    Raises:
        KeyError: There is no such zone.
    """
    if name not in _names().values():
        raise KeyError(name)
    with _PACKAGE.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def zone_name(text: str) -> str | None:
    """Return the IANA name for a text in any letter case (`america/bogota`); None if there is none."""
    return _names().get(text.strip().casefold().replace(" ", "_"))


def not_a_zone(text: str) -> str:
    """Return the completion of "<the text> ..." for a text that `zone_name` doesn't know."""
    written = text.strip().casefold().replace(" ", "_")
    by_city = {name.rpartition("/")[2]: name for name in _names()}
    close = get_close_matches(written, _names(), n=1, cutoff=_CLOSE) or get_close_matches(
        written, by_city, n=1, cutoff=_CLOSE
    )
    meant = [_names()[by_city.get(name, name)] for name in close]
    return f"is not a time zone; did you mean {meant[0]}?" if meant else f"is not a time zone: {_ADVICE}"


@cache
def zones_by_country() -> dict[str, tuple[str, ...]]:
    """Return the zones of each country (ISO 3166-1 alpha-2)."""
    found: dict[str, tuple[str, ...]] = {}
    for line in (_PACKAGE / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            found[country] = (*found.get(country, ()), name)
    return found


@cache
def _names() -> dict[str, str]:
    """Return every name by its lower-case form. `Factory` is a placeholder, and not a place."""
    names = (_PACKAGE / "zones").read_text(encoding="utf-8").split()
    return {name.casefold(): name for name in names if name != "Factory"}
