"""Findings about the outcome feed and the webhooks that are sent from it. Pure."""

from collections.abc import Iterator

from state.outcome_status import FeedStatus, WebhookStatus
from state.overview import Overview
from state.webhooks import GROUP
from worker.monitoring.finding import Finding, clock_time, span
from worker.settings import Settings

FEED, WEBHOOKS = "feed", "webhooks"
_SILENT_MS = 60_000
_RECENT_MS = 24 * 3_600_000
"""How long a loss is reported."""
_FAILING_MS = 5 * 60_000
_BEHIND_MS = 10 * 60_000
_SEE_LIMITS = "raise outcomes.max_length or outcomes.retention"


def findings(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Judge the feed and the webhooks. Before the first outcome role ran, there is no finding."""
    if overview.outcome_feed is not None:
        yield _feed(overview.outcome_feed, overview.now_ms)
    if overview.webhooks is not None:
        yield _webhooks(overview.webhooks, overview)
    elif settings.outcomes.webhook_url is not None:
        hint = "start winback outcomes; winback up starts it"
        yield Finding(WEBHOOKS, "warn", "outcomes.webhook_url is set, and no sender has run", hint)


def _feed(feed: FeedStatus, now_ms: int) -> Finding:
    if now_ms - feed.moved_ms > _SILENT_MS:
        text = f"no outcome has reached the feed for {span(now_ms - feed.moved_ms)}; they are kept"
        hint = "the sweep moves them: read its log for relay_failed; after an upgrade, load deploy/redis-users.acl"
        return Finding(FEED, "fail", text, hint)
    if _is_recent(feed.lost_ms, now_ms):
        text = f"{feed.lost:,} outcomes are missing from the feed: they weren't moved in time"
        return Finding(FEED, "fail", text, "read the sweep's log for relay_failed")
    late = [reader for reader in feed.readers if reader.missed]
    if late:
        names = ", ".join(f"{reader.name} ({reader.missed:,})" for reader in late)
        hint = f"start the consumer and {_SEE_LIMITS}, or remove its group: XGROUP DESTROY"
        return Finding(FEED, "fail", f"entries were removed before these consumer groups read them: {names}", hint)
    read = ", ".join(f"{reader.name} {reader.unread:,} unread" for reader in feed.readers)
    return Finding(FEED, "ok", f"{feed.length:,} outcomes" + (f"; {read}" if read else ""))


def _webhooks(webhooks: WebhookStatus, overview: Overview) -> Finding:
    now_ms = overview.now_ms
    if webhooks.refused_ms is not None:
        text = f"the receiver answered 410 Gone at {clock_time(webhooks.refused_ms)}: no webhooks are sent"
        return Finding(WEBHOOKS, "fail", text, "fix the receiver or outcomes.webhook_url, then winback outcomes resume")
    if now_ms - webhooks.seen_ms > _SILENT_MS and not webhooks.is_stopped:
        text = f"the sender of webhooks has not reported for {span(now_ms - webhooks.seen_ms)}"
        return Finding(WEBHOOKS, "fail", text, "start winback outcomes; outcomes wait in the feed")
    return _deliveries(webhooks, overview)


def _deliveries(webhooks: WebhookStatus, overview: Overview) -> Finding:
    now_ms = overview.now_ms
    if _is_recent(webhooks.dropped_ms, now_ms):
        text = f"{webhooks.dropped:,} outcomes were never accepted by the receiver and are dropped"
        return Finding(WEBHOOKS, "fail", text, f"read the sender's log for webhook_dropped; {_SEE_LIMITS}")
    if webhooks.failing_ms is not None and now_ms - webhooks.failing_ms > _FAILING_MS:
        text = f"requests have failed for {span(now_ms - webhooks.failing_ms)} ({webhooks.why}); they are repeated"
        return Finding(WEBHOOKS, "fail", text, "read the receiver's log; winback outcomes test sends a request")
    if webhooks.is_stopped:
        return Finding(WEBHOOKS, "note", "the sender was stopped; outcomes wait in the feed", "start winback outcomes")
    waiting = webhooks.waiting + _unread(overview.outcome_feed)
    if webhooks.oldest_ms is not None and now_ms - webhooks.oldest_ms > _BEHIND_MS:
        text = f"webhooks are {span(now_ms - webhooks.oldest_ms)} behind; {waiting:,} outcomes wait"
        return Finding(WEBHOOKS, "warn", text, "the receiver answers slowly, or refuses single outcomes")
    why = f"; the last request failed ({webhooks.why})" if webhooks.why else ""
    return Finding(WEBHOOKS, "ok", f"{webhooks.sent:,} sent, {waiting:,} wait{why}")


def _unread(feed: FeedStatus | None) -> int:
    return sum(reader.unread for reader in feed.readers if reader.name == GROUP) if feed else 0


def _is_recent(at_ms: int | None, now_ms: int) -> bool:
    return at_ms is not None and now_ms - at_ms < _RECENT_MS
