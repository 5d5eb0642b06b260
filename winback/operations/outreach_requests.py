"""Data of the request in a stored outreach. Pure."""

import json
from collections.abc import Mapping


def channel_of(stored: Mapping[str, str]) -> str:
    """Return the channel that a request asked for; empty if neither the request nor its consent is kept."""
    try:
        return str(json.loads(stored.get("body") or "{}")["engagement"]["preferred_channel"])
    except (ValueError, LookupError, TypeError):
        pass
    try:
        return ", ".join(sorted(json.loads(stored.get("consent") or "{}")))
    except (ValueError, TypeError):
        return ""
