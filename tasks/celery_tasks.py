"""The Celery tasks: parse, call a plain function, map its outcome. Messages are hints and only hold opaque ids."""

import math
import traceback
from collections.abc import Sequence
from datetime import timedelta

import structlog
from celery import Celery, Task, shared_task

from state.errors import StateError
from state.partitions import is_outreach_id
from tasks import dispatch as dispatches
from tasks import sweep as sweeps
from tasks.broker import Broker, BrokerUnavailableError
from tasks.deps import Deps, current
from tasks.failpoints import reached

RELAY_EVERY = timedelta(seconds=1)
SWEEP_QUEUE = "winback.sweep"
RECOVER_QUEUE = "winback.recover"
TASKS = {
    SWEEP_QUEUE: frozenset({"winback.sweep", "winback.dispatch", "winback.erasures"}),
    RECOVER_QUEUE: frozenset({"winback.recover", "winback.erase"}),
}
"""The tasks of each queue; messages for any other task are refused."""

ERASURES_EVERY, ERASURE_LEASE = timedelta(seconds=5), timedelta(minutes=15)
MOST_ERASURES = 20
"""Erasures that are started at once, so that attempts don't wait for them."""

log = structlog.get_logger("winback.tasks")


# No task events: 17,280 sweeps a day would push everything else out of Flower's memory.
@shared_task(name="winback.sweep", bind=True, send_events=False)
def sweep(self: Task) -> None:
    """Claim silent sessions, then dispatch due outreaches."""
    deps = current()
    if not _due("sweep", deps.detection().sweep_interval, deps):
        return
    reached("sweep_begins")
    try:
        with deps.trace("sweep") as span:
            claimed = sweeps.sweep(deps)
            span.set("sessions", claimed.sessions)
            span.set("outreaches", claimed.outreaches)
        deps.heartbeat("sweep")
    except StateError as exc:
        log.error("sweep_failed", error=str(exc))  # noqa: TRY400 - one line; the trace adds nothing
        return
    if claimed.sessions:
        reached("sweep_claimed")
        log.info("swept", silent=claimed.sessions, outreaches=claimed.outreaches)
    _dispatch(self.app)
    _relay()


@shared_task(name="winback.dispatch", bind=True, send_events=False)
def dispatch(self: Task) -> None:
    """Dispatch due outreaches between two sweeps, so that workers don't wait for the next one."""
    if _due("dispatch", current().delivery.dispatch_interval, current()):
        _dispatch(self.app)
        _relay()


@shared_task(name="winback.erasures", bind=True, send_events=False)
def erasures(self: Task) -> None:
    """Start the erasures that are due."""
    if not _due("erasures", ERASURES_EVERY, current()):
        return
    try:
        leased = current().erasure.data.requests.lease(MOST_ERASURES, round(ERASURE_LEASE.total_seconds() * 1000))
        if leased:
            _broker(self.app).enqueue(erase, leased)
    except StateError as exc:
        log.error("erasures_failed", error=str(exc))  # noqa: TRY400 - as above
    except BrokerUnavailableError as exc:
        log.error("broker_unreachable", error=str(exc))  # noqa: TRY400 - they become due again after their lease


@shared_task(name="winback.erase", time_limit=ERASURE_LEASE.total_seconds() - 60)
def erase(request: str) -> None:
    """Carry out one erasure that a shop's tool requested."""
    try:
        deps = current()
        deps.prepare()
        from tasks.erasure.requested import erase_requested

        done = erase_requested(request, deps.erasure, deps.identity_secret)
    except StateError as exc:
        log.error("erasure_failed", request=request, problem=str(exc))  # noqa: TRY400 - as above
        return
    if done.result == "failed":
        log.error("erasure_failed", request=request, problem=done.problem)
    elif done.result != "gone":
        waits = "until all collectors have delivered" if done.result == "spooled" else None
        log.info(
            "person_erased",
            request=request,
            sessions=done.sessions,
            outreaches=done.outreaches,
            closed_data_requests=done.data_requests or None,
            open=waits,
        )


@shared_task(name="winback.recover")
def recover(outreach: str) -> dict[str, object]:
    """Make one attempt; return its outcome for Flower, whose pages show `sent (attempt 1)`."""
    if not is_outreach_id(outreach):
        log.error("not_an_outreach")  # the argument itself can hold anything
        return {"outreach": "", "outcome": "refused", "attempt": 0}
    try:
        deps = current()
        deps.prepare()
        from tasks.delivery import attempt as attempts

        with deps.trace("attempt") as span:
            span.set("outreach", outreach)
            outcome = attempts.attempt(outreach, deps)
            span.set("outcome", outcome.outcome)
            # The part after the dot is chosen by the API.
            span.set("reason", outcome.reason.partition(".")[0])
            span.set("attempt", outcome.attempt)
    except StateError as exc:
        # The lease expires, and the outreach is retried or ends as unknown.
        log.error("attempt_failed", outreach=outreach, error=str(exc))  # noqa: TRY400 - as above
        return {"outreach": outreach, "outcome": "failed", "attempt": 0}
    except Exception as exc:  # noqa: BLE001 - a bug, whose message or trace could hold the customer's name
        where = traceback.extract_tb(exc.__traceback__)[-1]
        log.error("attempt_crashed", outreach=outreach, error=type(exc).__name__, at=f"{where.filename}:{where.lineno}")  # noqa: TRY400
        return {"outreach": outreach, "outcome": "failed", "attempt": 0}
    if outcome.outcome != "dropped":
        log.info(
            "attempt",
            outreach=outreach,
            outcome=outcome.outcome,
            reason=outcome.reason or None,
            attempt=outcome.attempt or None,
            reply=outcome.status or None,
        )
    return {"outreach": outreach, "outcome": outcome.outcome, "attempt": outcome.attempt}


_last: dict[str, tuple[float, timedelta]] = {}
"""When this process last did it (monotonic, s), and at what interval."""


def _due(name: str, interval: timedelta, deps: Deps) -> bool:
    """Return whether half an interval has passed since the last run in this process: a backlog is skipped."""
    now = deps.monotonic()
    at, usual = _last.get(name, (-math.inf, interval))
    # After a change of the interval, the next run starts the new rhythm.
    if interval == usual and now - at < interval.total_seconds() / 2:
        return False
    _last[name] = now, interval
    return True


_brokers: dict[Celery, Broker] = {}


def _broker(app: Celery) -> Broker:
    return _brokers.setdefault(app, Broker(app, RECOVER_QUEUE))


def _dispatch(app: Celery) -> None:
    broker = _broker(app)

    def enqueue(outreaches: Sequence[str]) -> None:
        broker.enqueue(recover, outreaches)

    try:
        done = dispatches.dispatch(current(), queued=broker.queued, enqueue=enqueue, purge=broker.purge)
    except StateError as exc:
        log.error("dispatch_failed", error=str(exc))  # noqa: TRY400 - as above
        return
    except BrokerUnavailableError as exc:
        log.error("broker_unreachable", error=str(exc))  # noqa: TRY400 - leased outreaches become due again
        return
    if done.enqueued or done.unknown or done.due_again:
        log.info("dispatched", enqueued=done.enqueued, leases_ran_out=done.due_again, unknown=done.unknown)


_relay_error = [""]
"""Why the last round of the relay failed; empty if it didn't."""


def _relay() -> None:
    """Move outcomes to the feed, after a dispatch. A failure that lasts is logged once."""
    deps = current()
    if not _due("relay", RELAY_EVERY, deps):
        return
    problem = ""
    try:
        deps.relay.move()
    except StateError as exc:
        problem = str(exc)
    except Exception as exc:  # noqa: BLE001 - a bug, which must not keep sweeps from ending; its text can hold an id
        problem = type(exc).__name__
    if problem and problem != _relay_error[0]:
        log.error("relay_failed", error=problem)
    _relay_error[0] = problem
