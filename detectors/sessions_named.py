"""The sessions that an event names. Pure."""

from detectors.activity import ActivityEvent
from detectors.normalize.session_ids import session_key


def sessions_named(event: ActivityEvent) -> dict[str, str]:
    """Return all sessions that an event names in any field: stored id → the shop's spelling, its own session first."""
    found: dict[str, str] = {}
    for text in (event.session_id, event.previous_session_id, *event.also_sessions):
        if text and not text.isspace():
            found.setdefault(session_key(text), text)
    return found
