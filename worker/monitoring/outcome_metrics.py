"""The metrics of the outcome feed and its webhooks. Pure."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from state.outcome_status import FeedStatus, WebhookStatus
from state.overview import Overview
from worker.monitoring.metric_families import counter, gauge, gauges


def outcome_metrics(overview: Overview) -> Iterator[Metric]:
    """Return the metrics of the feed and the webhooks; none before a role has reported."""
    if overview.outcome_feed is not None:
        yield from _feed(overview.outcome_feed, overview.now_ms)
    if overview.webhooks is not None:
        yield from _webhooks(overview.webhooks, overview.now_ms)


def _feed(feed: FeedStatus, now_ms: int) -> Iterator[Metric]:
    unread = [(reader.name, reader.unread) for reader in feed.readers]
    missed = [(reader.name, reader.missed) for reader in feed.readers]
    ago_s = max(0, now_ms - feed.moved_ms) / 1000
    yield gauge("winback_feed_entries", "Outcomes in the feed.", feed.length)
    yield gauge("winback_feed_moved_seconds", "How long ago outcomes were last moved to the feed.", ago_s)
    yield counter("winback_feed_lost", "Outcomes that never reached the feed.", (), [((), feed.lost)])
    yield gauges("winback_feed_unread", "Outcomes that a consumer group hasn't read.", ("group",), unread)
    text = "Outcomes that were removed before a consumer group read them."
    yield gauges("winback_feed_missed", text, ("group",), missed)


def _webhooks(webhooks: WebhookStatus, now_ms: int) -> Iterator[Metric]:
    late_s = 0.0 if webhooks.oldest_ms is None else max(0, now_ms - webhooks.oldest_ms) / 1000
    is_refused = int(webhooks.refused_ms is not None)
    yield counter("winback_webhooks_sent", "Requests that the receiver accepted.", (), [((), webhooks.sent)])
    yield counter("winback_webhooks_failed", "Requests that it didn't accept.", (), [((), webhooks.failed)])
    yield counter("winback_webhooks_dropped", "Outcomes that it never accepted.", (), [((), webhooks.dropped)])
    yield gauge("winback_webhooks_waiting", "Outcomes that the sender holds in memory.", webhooks.waiting)
    yield gauge("winback_webhooks_oldest_seconds", "How long the first of these has been in the feed.", late_s)
    yield gauge("winback_webhooks_refused", "1 after the receiver answered 410, until it is resumed.", is_refused)
