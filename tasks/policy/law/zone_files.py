"""Time zones from the pinned `tzdata` package only: the host's zone files can be years old."""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_PACKAGE = files("tzdata")


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
