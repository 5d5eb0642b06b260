"""Which source each event names, so that `winback explain` can show it. An event names it only if it is news.

An event that says nothing but its stage is read and applied in a fraction of the time, and most events are like that.
"""

from collections.abc import Iterator
from typing import NamedTuple

from detectors.json_values import JsonObject

MOST = 50_000
"""Parts of sessions that are remembered. Beyond that, all are forgotten, and named again."""


class _Part(NamedTuple):
    session: str
    name: str
    """As in `detectors.session_fields.sources_of`."""


class ReportedSources:
    """The source that was last named for each part of each session. Several threads can use it."""

    def __init__(self) -> None:
        self._named: dict[_Part, str] = {}

    def batch(self) -> "SourceBatch":
        """Return what names the sources of a batch of events."""
        return SourceBatch(self._named)


class SourceBatch:
    """Names the sources of a batch. What it named is only remembered when the batch is stored."""

    def __init__(self, named: dict[_Part, str]) -> None:
        self._named = named
        self._new: dict[_Part, str] = {}

    def name(self, event: JsonObject, source: str) -> JsonObject:
        """Return an event with its source, unless the same one was named last for all that it is about."""
        parts = [*_parts(event)] if source else []
        if all(self._new.get(part, self._named.get(part)) == source for part in parts):
            return event
        self._new |= dict.fromkeys(parts, source)
        return event | {"source": source}

    def keep(self) -> None:
        """Remember what was named: the batch is stored."""
        if len(self._named) + len(self._new) > MOST:
            self._named.clear()
        self._named.update(self._new)


def _parts(event: JsonObject) -> Iterator[_Part]:
    session, kind = str(event.get("session_id") or ""), str(event.get("type"))
    if not session:
        return
    yield _Part(session, f"{event.get('flow_stage')}.{event.get('platform')}" if kind == "activity" else kind)
    yield from (_Part(session, name) for name in ("customer", "cart") if event.get(name) is not None)
