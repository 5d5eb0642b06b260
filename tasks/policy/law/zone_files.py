"""Time zones by the pinned `tzdata` package only: zone files of the host may be years old."""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_PACKAGE = files("tzdata")


@cache
def zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name as `zone_name` returns it.

    `ZoneInfo(name)` would ask the host's files, or those that PYTHONTZPATH names, before the package.

    Raises:
        KeyError: there is no such zone.
    """
    if name not in _names().values():
        raise KeyError(name)
    with _PACKAGE.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def zone_name(text: str) -> str | None:
    """Return the IANA name that a text means, in any letter case (`america/bogota`); None when there is none."""
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
    """Every name by its small letters. `Factory` is a placeholder, and no place."""
    names = (_PACKAGE / "zones").read_text(encoding="utf-8").split()
    return {name.casefold(): name for name in names if name != "Factory"}
