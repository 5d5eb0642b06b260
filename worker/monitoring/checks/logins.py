"""Findings about refused logins: a shop with a wrong password sends nothing. Pure."""

import re
from collections.abc import Sequence
from datetime import timedelta

from detectors.lanes import milliseconds
from state.refused_logins import Refused
from worker.monitoring.finding import Finding, span

RECENT = timedelta(hours=1)
"""A refusal is reported for this time."""
_KNOWN_USER = re.compile(r"default|winback-[a-z]+")
"""Any other name can be a password in the wrong place."""


def finding(refused: Sequence[Refused] | None) -> Finding:
    """Report the refusals of the last hour. None: they can't be read."""
    if refused is None:
        return Finding("logins", "ok", "the server's log of refused logins can't be read (ACL LOG)")
    recent = [one for one in refused if one.ago_ms <= milliseconds(RECENT)]
    if not recent:
        return Finding("logins", "ok", "the server refused no login or command in the last hour")
    logins, commands = (sum(one.times for one in recent if one.is_login is kind) for kind in (True, False))
    users = sorted({one.user if _KNOWN_USER.fullmatch(one.user) else "another user" for one in recent})
    counts = [
        f"{number:,} {name}{'' if number == 1 else 's'}"
        for number, name in ((logins, "login"), (commands, "command"))
        if number
    ]
    last = span(min(one.ago_ms for one in recent))
    text = f"the server refused {' and '.join(counts)} ({', '.join(users)}), the last {last} ago"
    hint = "check user and password in the shop's URL, and its rights (docs/guides/connect-shop.md)"
    return Finding("logins", "note", text, hint)
