"""Times in a text: UTC, with the local time in brackets."""

import re
from datetime import datetime

from tasks.policy.law.zone_files import zone

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def with_local_times(text: str, time_zone: str | None) -> str:
    """Add the local time to each UTC time: `2026-12-01T02:06:19Z (21:06)`, with the day of the week if it differs.

    Fractions of a second are left out.
    """
    if not time_zone:
        return text
    place = zone(time_zone)

    def both(found: re.Match[str]) -> str:
        moment = datetime.fromisoformat(found[0])
        local = moment.astimezone(place)
        day = "" if local.date() == moment.date() else f"{local:%a} "
        return f"{found[0][:19]}Z ({day}{local:%H:%M})"

    return _MOMENT.sub(both, text)
