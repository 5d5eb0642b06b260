"""Times as people read them: in UTC, with the time of another zone behind."""

from datetime import UTC, datetime

from tasks.policy.law.zone_files import zone

UTC_NAME = "UTC"
_DAY_MS = 24 * 3_600_000


def written_time(ms: int, time_zone: str = UTC_NAME, *, seconds: bool = False) -> str:
    """Return Unix ms as `2026-12-01 08:00 UTC (03:00 America/Bogota)`.

    Args:
        ms: The moment.
        time_zone: An IANA name, such as that of `report.time_zone`. For UTC nothing is added.
        seconds: Write the seconds too.

    Raises:
        KeyError: There is no such zone.
    """
    at = datetime.fromtimestamp(ms / 1000, UTC)
    clock = "%H:%M:%S" if seconds else "%H:%M"
    shown = f"{at:%Y-%m-%d} {at.strftime(clock)} UTC"
    if time_zone == UTC_NAME:
        return shown
    local = at.astimezone(zone(time_zone))
    day = "" if local.date() == at.date() else f"{local:%Y-%m-%d} "
    return f"{shown} ({day}{local.strftime(clock)} {time_zone})"


def near_time(ms: int, now_ms: int, time_zone: str = UTC_NAME) -> str:
    """Return Unix ms as `written_time` does, without the dates if it is less than a day from now."""
    if abs(ms - now_ms) >= _DAY_MS:
        return written_time(ms, time_zone)
    at = datetime.fromtimestamp(ms / 1000, UTC)
    local = "" if time_zone == UTC_NAME else f" ({at.astimezone(zone(time_zone)):%H:%M} {time_zone})"
    return f"{at:%H:%M} UTC{local}"
