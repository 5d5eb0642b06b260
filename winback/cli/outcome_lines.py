"""The outcome feed on the screen of `winback status`."""

from collections.abc import Iterator

from state.overview import Overview
from state.webhooks import GROUP
from worker.monitoring.finding import span


def outcome_lines(overview: Overview) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each line; none if no other system reads the feed."""
    feed, webhooks = overview.outcome_feed, overview.webhooks
    if feed is None or not feed.readers:
        return
    unread = ", ".join(f"{reader.name} has {reader.unread:,} to read" for reader in feed.readers)
    yield "feed", f"{feed.length:,} outcomes; {unread}"
    if webhooks is not None and any(reader.name == GROUP for reader in feed.readers):
        late = "" if webhooks.oldest_ms is None else f", {span(max(0, overview.now_ms - webhooks.oldest_ms))} behind"
        why = f" ({webhooks.why})" if webhooks.why else ""
        yield "webhooks", f"{webhooks.sent:,} sent, {webhooks.waiting:,} in memory{late}{why}"
