"""Converts an overview to Prometheus metrics: base units, counts, and labels from fixed lists.

Pure, no personal data.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import get_args

from prometheus_client.core import Metric

from detectors.lanes import LANES_BY_NAME, milliseconds
from state.overview import Overview
from state.partition_totals import OUTCOMES
from state.sending_status import SendingState
from state.stored_records import ROLES
from tasks.policy.reasons import REASONS
from worker.celery_support import message_filter
from worker.monitoring import alarms, health
from worker.monitoring.business_metrics import business_metrics
from worker.monitoring.checks.messages import REMOTE_CONTROL
from worker.monitoring.checks.progress import overdue_ms
from worker.monitoring.checks.streams import RECENT
from worker.monitoring.flow_metrics import flow_metrics
from worker.monitoring.health import Finding
from worker.monitoring.metric_families import counter, gauge, gauges
from worker.monitoring.outcome_metrics import outcome_metrics
from worker.monitoring.recorder_metrics import recorder_metrics
from worker.settings import Settings

_LANE = ("stage", "platform", "kind")


def metrics(overview: Overview | None, findings: Sequence[Finding], settings: Settings) -> Iterator[Metric]:
    """Return all metrics of an overview. None: the state server doesn't answer; then that is the only metric.

    Args:
        overview: The values read, of today (`report.time_zone`). The counters restart each day, which Prometheus treats
            as a reset.
        findings: The findings of `winback status`.
        settings: For the roles' intervals.
    """
    yield gauge(
        "winback_up",
        "1 while the state server answers; while it is 0, there are no other metrics.",
        int(bool(overview)),
    )
    if overview is None:
        return
    yield from _server(overview)
    yield from _events(overview)
    yield from flow_metrics(overview)
    yield from _outbox(overview)
    yield from _sending(overview)
    yield from _roles(overview, settings)
    yield _refused(overview)
    held = overview.backlog.length if overview.backlog else 0
    yield gauge("winback_messages_waiting", "Messages that wait for workers and delay dispatch.", held)
    yield from _sessions(overview)
    yield from _progress(overview, settings)
    yield from _outcomes(overview)
    yield from business_metrics(overview)
    yield from _collectors(overview)
    yield _privacy(overview)
    yield from outcome_metrics(overview)
    yield from recorder_metrics(overview)
    yield _checks(findings)
    yield _alarms(findings)


def _server(overview: Overview) -> Iterator[Metric]:
    server = overview.server
    yield gauge("winback_server_memory_bytes", "Memory that the state server uses.", server.used_bytes)
    yield gauge("winback_server_memory_limit_bytes", "The state server's maxmemory; 0: none.", server.max_bytes)


def _events(overview: Overview) -> Iterator[Metric]:
    events = overview.events
    yield gauge("winback_events_streams", "Number of event streams.", events.streams)
    yield gauge("winback_events_waiting", "Events in all streams that aren't applied yet.", events.waiting)
    yield gauge("winback_events_pending", "Events that ingest has read and not applied yet.", events.pending)
    lag_s = overview.lag_ms / 1000
    yield gauge("winback_events_lag_seconds", "How long the oldest event has waited to be applied.", lag_s)
    faults = overview.stream_faults
    yield counter(
        "winback_events_lost", "Events removed from a stream before they were applied.", (), [((), faults.lost)]
    )
    lately = faults.ahead_at_ms is not None and overview.now_ms - faults.ahead_at_ms <= milliseconds(RECENT)
    ahead_s = faults.ahead_ms / 1000 if lately else 0.0
    yield gauge("winback_events_ids_ahead_seconds", "How far ids were ahead of the server's clock, last hour.", ahead_s)
    yield gauge("winback_events_rejected", "Events rejected or applied in part, last 7 days.", events.rejected)


def _outbox(overview: Overview) -> Iterator[Metric]:
    box = overview.outbox
    places = {
        "due_now": box.due_now,
        "due_later": box.due - box.due_now,
        "leased": box.leased,
        "dead": box.dead,
        "unknown": box.unknown,
    }
    yield gauges("winback_outreaches", "Outreaches in the outbox, by state.", ("state",), places.items())
    late_ms = max(0, overview.now_ms - box.first_due_ms) if box.due_now and box.first_due_ms is not None else 0
    yield gauge("winback_outreaches_oldest_due_seconds", "How long the first outreach has been due.", late_ms / 1000)


def contacts(overview: Overview) -> int:
    """Return how many of today's outreaches reached, or may have reached, a person."""
    return overview.counters.total("sent") + overview.counters.total("unknown")


def _sending(overview: Overview) -> Iterator[Metric]:
    sending = overview.sending
    states = [(state, int(state == sending.sending_state)) for state in get_args(SendingState)]
    yield gauges(
        "winback_sending", "1 for the state of sending: on, or the reason why it is blocked.", ("state",), states
    )
    yield gauge("winback_sending_failures", "Consecutive failed requests.", sending.failures)
    yield counter(
        "winback_contacts",
        "Outreaches of today (`report.time_zone`) that reached, or may have reached, a person: sent or unknown.",
        (),
        [((), contacts(overview))],
    )


def _roles(overview: Overview, settings: Settings) -> Iterator[Metric]:
    lives = {role: health.liveness(role, overview, settings) for role in ROLES}
    alive = [(role, life.processes) for role, life in lives.items()]
    seen = [(role, life.ago_ms / 1000) for role, life in lives.items() if life.ago_ms is not None]
    yield gauges("winback_role_processes", "Processes of a role that aren't silent.", ("role",), alive)
    yield gauges("winback_role_last_seen_seconds", "Time since a role's last heartbeat.", ("role",), seen)
    if overview.swept_ms is not None:
        ago_s = max(0, overview.now_ms - overview.swept_ms) / 1000
        yield gauge("winback_last_sweep_seconds", "Time since the last sweep began.", ago_s)


def _refused(overview: Overview) -> Metric:
    counts = {**dict.fromkeys((*message_filter.REASONS, REMOTE_CONTROL), 0), **overview.refused.counts}
    text = "Messages and commands from the broker that workers refused, until 7 days after the last."
    return gauges("winback_messages_refused", text, ("reason",), counts.items())


def _sessions(overview: Overview) -> Iterator[Metric]:
    waiting = [(_lane(name), overview.lanes.get(name, 0)) for name in LANES_BY_NAME]
    silent = [(_lane(name), overview.counters.silent.get(name, 0)) for name in LANES_BY_NAME]
    yield gauges("winback_sessions_waiting", "Sessions that haven't reached their threshold.", _LANE, waiting)
    yield counter(
        "winback_sessions_silent", "Sessions found past their threshold today (`report.time_zone`).", _LANE, silent
    )


def _progress(overview: Overview, settings: Settings) -> Iterator[Metric]:
    late_s = max(0, overdue_ms(overview, settings)) / 1000
    text = "How long the first session that no sweep has claimed has been past its threshold."
    yield gauge("winback_sessions_overdue_seconds", text, late_s)
    if overview.progress.dispatched_ms is not None:
        ago_s = max(0, overview.now_ms - overview.progress.dispatched_ms) / 1000
        yield gauge("winback_last_dispatch_seconds", "Time since the last dispatch round ended.", ago_s)


def _outcomes(overview: Overview) -> Iterator[Metric]:
    found: Counter[tuple[str, str]] = Counter()
    for outcome in OUTCOMES:
        # Known ones are present from the start: Prometheus doesn't count the first value as an increase.
        found.update({(outcome, reason): 0 for reason in REASONS[outcome]})
        for reason, count in overview.counters.outcomes.get(outcome, {}).items():
            # `http_400.CODE`: the part after the dot is chosen by the API.
            found[outcome, reason.partition(".")[0]] += count
    text = "Outcomes of the silent sessions of today (`report.time_zone`)."
    yield counter("winback_outcomes", text, ("outcome", "reason"), found.items())


def _collectors(overview: Overview) -> Iterator[Metric]:
    now_ms, marks = overview.now_ms, overview.collectors
    up = [(mark.collector, int(not mark.is_missing(now_ms))) for mark in marks]
    yield gauges("winback_collector_up", "1 while a collector reports, else 0.", ("collector",), up)
    behind = [(mark.collector, max(0, now_ms - mark.until_ms) / 1000) for mark in marks]
    about_behind = "How long ago the first event was accepted that isn't in a stream."
    yield gauges("winback_collector_behind_seconds", about_behind, ("collector",), behind)
    spool = [(mark.collector, mark.figures.spool_bytes) for mark in marks]
    yield gauges("winback_collector_spool_bytes", "Size of a collector's spool.", ("collector",), spool)
    damaged = [(mark.collector, mark.figures.damaged_bytes) for mark in marks]
    text = "Bytes of a collector's spool that couldn't be read: kept in quarantine, or lost since its start."
    yield gauges("winback_collector_damaged_bytes", text, ("collector",), damaged)
    requests = [((mark.collector,), mark.figures.requests) for mark in marks]
    yield counter("winback_collector_requests", "Requests since its start.", ("collector",), requests)
    events = [((mark.collector,), mark.figures.events) for mark in marks]
    yield counter("winback_collector_events", "Events accepted since its start.", ("collector",), events)
    refused = [((mark.collector,), mark.figures.refused) for mark in marks]
    yield counter("winback_collector_refused", "Requests refused since its start.", ("collector",), refused)


def _privacy(overview: Overview) -> Metric:
    found = overview.requests
    sets = {"erasure": found.erasures, "shop_erasure": found.shops, "data_request": found.data, "failed": found.failed}
    text = "Open requests to erase or hand out data; `failed`: erasures that failed."
    return gauges("winback_privacy_requests", text, ("kind",), [(kind, one.number) for kind, one in sets.items()])


def _checks(findings: Sequence[Finding]) -> Metric:
    failing: dict[str, int] = {}
    for finding in findings:
        failing[finding.name] = max(failing.get(finding.name, 0), int(finding.mark == "fail"))
    return gauges(
        "winback_check_failing", "1 for each check of winback status that fails.", ("check",), failing.items()
    )


def _alarms(findings: Sequence[Finding]) -> Metric:
    raised = [((name, finding.mark), 1) for name, finding in alarms.failing(findings).items()]
    text = "1 for each problem that raises an alarm; `level` is `warn` or `fail`."
    return gauges("winback_alarm", text, ("alarm", "level"), raised)


def _lane(name: str) -> tuple[str, ...]:
    lane = LANES_BY_NAME[name]
    return lane.stage, lane.platform, lane.kind.name
