"""What an overview means: one finding for each thing that can be wrong. Pure, and in words for whoever is on call."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from detectors.idle import IDLE
from detectors.lanes import LANES, milliseconds
from state.deployment import key_ids_in
from state.event_streams import SHORTEST_GAP_MS, TIMES_TO_A_GAP
from state.overview import NO_EVICTION, ROLES, Overview
from tasks import order_flow
from worker.monitoring.checks import backlog, messages, processes, server
from worker.monitoring.checks.progress import progress
from worker.monitoring.checks.streams import streams
from worker.monitoring.finding import MARKS, Finding, Mark, clock_time, megabytes, span
from worker.settings import Settings

__all__ = ["MARKS", "Finding", "Life", "Mark", "clock_time", "findings", "interval_ms", "life", "megabytes", "span"]

FULL, VERY_FULL = 0.80, 0.95
"""Parts of the server's memory. At 100 % it refuses events, claims and fences."""

LATE, MISSED_BEATS = 2, 3
"""Intervals without a sign of life after which a role is late, and silent."""
SAYS_ALIVE = timedelta(seconds=2)
"""How often every role says that it lives; ingest after the read that it may be waiting in."""

BEHIND, FAR_BEHIND = timedelta(seconds=10), timedelta(minutes=1)
"""Lags of the stream. Ingest that keeps up is behind by a second or two."""

SLOW_OUTBOX = timedelta(minutes=5)
"""For so long an outreach may be due before that counts as a backlog."""

LATELY = timedelta(hours=1)
"""For so long a rejected event is news."""

_MEANS = {
    "ingest": "events are not applied, so nobody counts as silent",
    "sweep": "nobody is noticed, nothing is handed to the workers",
    "recover": "nothing is sent",
    "beat": "no sweep is started",
}
_HINTS = {
    "keys": "mend delivery.public_api_key and .private_secret_key, restart recover; winback resume tries at once",
    "failing": "nothing to do if Yuno is away; else see delivery.endpoint. winback resume tries at once",
}
_START = "start it as it is run here (docker compose, systemd, winback up); its log says why it ended"


@dataclass(frozen=True, slots=True)
class Life:
    """When a role last said that it lives."""

    state: Literal["alive", "late", "silent", "never"]
    """`late`: more than two of its intervals ago; `silent`: more than three; `never`: not within a day."""
    ago_ms: int | None
    processes: int
    """How many are not silent."""


def interval_ms(role: str, settings: Settings, sweep_ms: int | None = None) -> int:
    """Return how long a role may take between two signs of life. `sweep_ms`: the interval that the sweep goes by."""
    if role == "ingest":
        return milliseconds(SAYS_ALIVE + settings.ingest.read_timeout)
    if role == "sweep":
        return max(milliseconds(SAYS_ALIVE), sweep_ms or milliseconds(settings.detection.sweep_interval))
    return milliseconds(SAYS_ALIVE)


def life(role: str, overview: Overview, settings: Settings) -> Life:
    """Say how a role is, by its latest sign of life."""
    interval = interval_ms(role, settings, overview.sweep_interval_ms)
    ages = [max(0, overview.now_ms - beat.at_ms) for beat in overview.heartbeats[role]]
    alive = sum(age <= MISSED_BEATS * interval for age in ages)
    if not ages:
        return Life("never", None, 0)
    missed = min(ages) / interval
    state: Literal["alive", "late", "silent"] = (
        "silent" if missed > MISSED_BEATS else "late" if missed > LATE else "alive"
    )
    return Life(state, min(ages), alive)


def findings(overview: Overview, settings: Settings) -> list[Finding]:
    """Judge everything in an overview; what is well is among it."""
    return [
        _memory(overview),
        _eviction(overview),
        _persistence(overview),
        *server.findings(overview),
        *(_role(role, overview, settings) for role in ROLES),
        *_sweeps(overview, settings),
        _lag(overview),
        *_stream(overview, settings),
        *_unheard(overview),
        *processes.namespaces(overview),
        *streams(overview),
        *_reopened(overview, settings),
        *_problems(overview),
        *_without_key(overview, settings),
        *processes.findings(
            overview, {role: MISSED_BEATS * interval_ms(role, settings, overview.sweep_interval_ms) for role in ROLES}
        ),
        *_orders(overview),
        _sending(overview, settings),
        *_silence(overview),
        _outbox(overview),
        *progress(overview, settings),
        *_decisions(overview),
        *backlog.findings(overview),
        *messages.findings(overview),
        _rejected(overview),
    ]


def _memory(overview: Overview) -> Finding:
    server = overview.server
    if not server.max_bytes:
        return Finding("memory", "ok", f"{megabytes(server.used_bytes)} in use, without a limit (maxmemory 0)")
    used = f"{server.used_share:.0%} in use, {megabytes(server.used_bytes)} of {megabytes(server.max_bytes)}"
    if server.used_share < FULL:
        return Finding("memory", "ok", used)
    text = f"{used}: when it is full, events are refused and nobody is contacted"
    return Finding("memory", "fail" if server.used_share >= VERY_FULL else "warn", text, "raise the server's maxmemory")


def _eviction(overview: Overview) -> Finding:
    policy = overview.server.eviction
    if policy is None:
        text = "the server does not say what it does when it is full (maxmemory-policy could not be read)"
        return Finding("eviction", "note", text, f"make sure that it is {NO_EVICTION}")
    if policy == NO_EVICTION:
        return Finding("eviction", "ok", f"maxmemory-policy is {NO_EVICTION}: nothing is thrown away")
    text = f"maxmemory-policy is {policy}: a full server forgets people, who may then be contacted twice"
    return Finding(
        "eviction", "fail", text, f"CONFIG SET maxmemory-policy {NO_EVICTION}, and in its configuration file"
    )


def _persistence(overview: Overview) -> Finding:
    server = overview.server
    if server.append_only is None:
        text = "the server does not say whether it keeps its data on disk (appendonly could not be read)"
        return Finding("persistence", "note", text, "make sure that it is on")
    if not server.append_only:
        text = "appendonly is off: a restart of the server forgets who was contacted"
        return Finding("persistence", "fail", text, "CONFIG SET appendonly yes, and in its configuration file")
    if server.writes_fail:
        text = "the server cannot write its append-only file, and refuses everything until it can"
        return Finding("persistence", "fail", text, "make room on its disk; its log says more")
    return Finding("persistence", "ok", "appendonly is on: a restart of the server keeps its data")


def _role(role: str, overview: Overview, settings: Settings) -> Finding:
    found = life(role, overview, settings)
    if found.ago_ms is None:
        return Finding(role, "fail", f"not seen within a day: {_MEANS[role]}", _START)
    if found.state == "silent":
        return Finding(role, "fail", f"silent for {span(found.ago_ms)}: {_MEANS[role]}", _START)
    processes = "1 process" if found.processes == 1 else f"{found.processes} processes"
    text = f"{processes}, last sign of life {span(found.ago_ms)} ago"
    return Finding(role, "ok" if found.state == "alive" else "warn", text)


def _sweeps(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Sweeps may not begin although sweep and beat live: the messages do not get through."""
    if any(life(role, overview, settings).state in {"silent", "never"} for role in ("sweep", "beat")):
        return
    interval = overview.sweep_interval_ms or milliseconds(settings.detection.sweep_interval)
    longest = max(TIMES_TO_A_GAP * interval, SHORTEST_GAP_MS)
    ago = None if overview.swept_ms is None else overview.now_ms - overview.swept_ms
    if ago is None or ago > longest:
        since = "no sweep has ever begun" if ago is None else f"no sweep has begun for {span(ago)}"
        text = f"{since}, though sweep and beat live"
        yield Finding("sweeps", "fail", text, "see whether both use the same broker, and the log of sweep")
    else:
        yield Finding("sweeps", "ok", f"the last one began {span(ago)} ago")


def _lag(overview: Overview) -> Finding:
    events = overview.events
    if overview.lag_ms <= milliseconds(BEHIND):
        return Finding("events", "ok", f"{events.waiting:,} to be applied; ingest keeps up")
    text = f"ingest is {span(overview.lag_ms)} behind, {events.waiting:,} events wait: contacts wait for them"
    mark: Mark = "fail" if overview.lag_ms > milliseconds(FAR_BEHIND) else "warn"
    return Finding("events", mark, text, "run more of it (winback ingest), and read its log")


def _stream(overview: Overview, settings: Settings) -> Iterator[Finding]:
    waiting, most = overview.events.waiting, settings.alarms.backlog_limit
    if waiting > most:
        text = f"{waiting:,} unapplied events, more than alarms.backlog_limit ({most:,}): the stream fills the server"
        hint = "run more of ingest and read its log; if this is usual, raise alarms.backlog_limit"
        yield Finding("stream", "warn", text, hint)


def _unheard(overview: Overview) -> Iterator[Finding]:
    unheard = overview.events.unheard
    if unheard:
        number = max(int(key.rpartition(":")[2]) for key in unheard) + 1
        known = f"ingest knows of {overview.events.streams}"
        text = f"events are in {', '.join(unheard)}, which nobody reads, and for which no contact waits: {known}"
        yield Finding("streams", "fail", text, f"set ingest.streams to {number} or more, and restart ingest")


def _reopened(overview: Overview, settings: Settings) -> Iterator[Finding]:
    if not overview.reopened_ms:
        return
    idle = [lane for lane in LANES if lane.kind is IDLE]
    longest = max(lane.kind.wait(settings.detection, lane.stage, lane.platform) for lane in idle)
    until = overview.reopened_ms + milliseconds(longest)
    if overview.now_ms < until:
        ago = span(overview.now_ms - overview.reopened_ms)
        text = (
            f"no sweeps or no events until {clock_time(overview.reopened_ms)}, {ago} ago: "
            f"silence is counted from then, so some contacts are later than usual until {clock_time(until)}"
        )
        yield Finding("reopened", "note", text, "nothing to do if you know why: the server, sweep or shop was away")


def _problems(overview: Overview) -> Iterator[Finding]:
    if "detection" not in overview.problems:
        yield Finding("thresholds", "ok", "the sweep uses the settings file as it is")
    for about, problem in overview.problems.items():
        first, *more = problem.splitlines() or [""]
        others = f" (and {len(more)} more)" if more else ""
        if about == "detection":
            text = f"the sweep cannot use the edited settings and goes on with those before: {first}{others}"
            yield Finding("thresholds", "fail", text, "mend it; until then no role could be started again")
        elif about == "shared_identity":
            yield Finding("people", "note", first, "leave customer.email empty where it is the shop's own")
        elif about == "replication":
            yield Finding("replication", "fail", first, "bring the replicas back, or see redis_replicas")
        else:
            yield Finding(about, "warn", f"{first}{others}")


def _without_key(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Find who was started before encryption was switched on, or before a key was added. It goes when they are gone."""
    for role, signs in overview.without_key.items():
        longest = MISSED_BEATS * interval_ms(role, settings, overview.sweep_interval_ms)
        lately = [sign.process for sign in signs if overview.now_ms - sign.at_ms <= longest]
        if lately:
            key_ids = ", ".join(key_ids_in(overview.deployment))
            text = (
                f"{role} runs without a key that the data needs ({', '.join(lately)}; keys in use: {key_ids}): "
                "it cannot read what others write, and what it writes is not encrypted as it should be"
            )
            hint = f"restart {role} with WINBACK_ENCRYPTION_KEYS, then winback rotate-keys"
            yield Finding("encryption", "fail", text, hint)


def _sending(overview: Overview, settings: Settings) -> Finding:
    """Say whether anything may be sent, as loudly as it can be said when nothing may."""
    sending, now_ms = overview.sending, overview.now_ms
    since = f"since {clock_time(sending.since_ms)}" if sending.since_ms is not None else "for now"
    if sending.going == "paused":
        until = "until winback resume" if sending.until_ms is None else f"until {clock_time(sending.until_ms)}"
        reason = f" ({sending.reason})" if sending.reason else ""
        also = f"; and it had stopped by itself ({sending.why})" if sending.stopped else ""
        text = f"paused by hand {since}, {until}{reason}: nothing is sent, what is due stays due{also}"
        return Finding("sending", "fail", text, "winback resume")
    if sending.going == "mixed":
        text = f"held {since} because workers disagree on how to send: none of them acts, what is due stays due"
        return Finding("sending", "fail", text, f"{processes.STOP}; it goes on when all that run agree")
    if sending.going == "orders_stopped":
        text = f"held {since} because no orders arrive: nothing is sent, what is due stays due; goes on when one does"
        return Finding(
            "sending",
            "fail",
            text,
            "fix the order events, see docs/guides/order-hooks.md; winback resume sends for an hour in spite of it",
        )
    if sending.stopped:
        wait = max(0, (sending.next_try_ms or now_ms) - now_ms)
        then = "one outreach is being tried now" if sending.probing else f"next try in {span(wait)}"
        text = f"stopped {since} because {sending.why}, what is due stays due; {then}, and it goes on when that works"
        hint = _HINTS["keys" if sending.going == "refused" else "failing"]
        return Finding("sending", "fail", text, hint)
    if sending.going == "full":
        text = f"today's contacts are used up ({sending.contacts_today:,}): it goes on at 00:00 UTC"
        return Finding("sending", "warn", text, "raise delivery.max_per_day if that is too few")
    most = settings.delivery.max_per_day
    of_the_day = f"; {sending.contacts_today:,} of {most:,} contacts of the day" if most else ""
    return Finding("sending", "ok", f"nothing holds it back{of_the_day}")


def _orders(overview: Overview) -> Iterator[Finding]:
    """Say that orders no longer arrive, or never have."""
    orders = overview.orders
    if orders.level == "doubtful":
        waits = "sending waits for one" if orders.holds(overview.now_ms) else "it may be chance"
        text = f"no order has arrived since {orders.run:,} sessions had the time to order: {waits}"
        yield Finding(order_flow.ABOUT, "note", text, "nothing to do yet: it becomes an alarm if it goes on")
    elif orders.level in order_flow.ALARM_LEVEL:
        mark: Mark = "fail" if orders.level == "stopped" else "warn"
        yield Finding(order_flow.ABOUT, mark, order_flow.text_of(orders), order_flow.HINT)


def _silence(overview: Overview) -> Iterator[Finding]:
    if overview.silent_since_ms is None:
        return
    ago = span(overview.now_ms - overview.silent_since_ms) if overview.silent_since_ms else "as long as anybody knows"
    text = f"no event has come for {ago}, longer than detection.max_silence: nobody is declared silent until one does"
    yield Finding("shop", "fail", text, "see whether the shop still sends events (winback event emit tries it)")


def _outbox(overview: Overview) -> Finding:
    outbox = overview.outbox
    late = overview.now_ms - outbox.first_due_ms if outbox.due_now and outbox.first_due_ms is not None else 0
    if late <= milliseconds(SLOW_OUTBOX):
        return Finding("outbox", "ok", f"{outbox.due_now:,} due now, {outbox.leased:,} in hand; nothing is late")
    if overview.sending.going != "on":
        return Finding("outbox", "ok", f"{outbox.due_now:,} due now, the first for {span(late)}: sending is held back")
    text = f"due now: {outbox.due_now:,} outreaches, the first for {span(late)}: the workers do not keep up"
    return Finding(
        "outbox", "warn", text, "after an outage it passes; else delivery.rate is too low, or recover too slow: its log"
    )


def _decisions(overview: Overview) -> Iterator[Finding]:
    dead, unknown = overview.outbox.dead, overview.outbox.unknown
    wait = [
        (f"{unknown:,} unknown, which may have been sent", "winback unknown list", unknown),
        (f"{dead:,} dead", "winback dead list", dead),
    ]
    if said := [(text, command) for text, command, number in wait if number]:
        text = f"outreaches wait for a person to decide: {', '.join(text for text, _ in said)}"
        yield Finding("decisions", "note", text, ", ".join(command for _, command in said))


def _rejected(overview: Overview) -> Finding:
    last, total = overview.events.last_rejected_ms, overview.events.rejected
    if last is None or overview.now_ms - last > milliseconds(LATELY):
        return Finding("rejected", "ok", "no event was set aside within the last hour")
    ago = span(overview.now_ms - last)
    text = f"events could not be read, in whole or in part: {total:,} in the last days, the last {ago} ago"
    return Finding("rejected", "note", text, "winback rejected list says why")
