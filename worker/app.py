"""The Celery application: `celery -A worker.app worker|beat|flower`.

Its messages are hints; what is to be done is in the outbox in Redis. So nothing here retries, delays or keeps results.
"""

import gc
import logging
import os
import sys
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from time import sleep
from typing import Protocol

import structlog
from celery import Celery, signals
from celery.worker.consumer import Consumer
from kombu.entity import Exchange, Queue

from detectors.normalize.warm_up import warm_up
from state import announcements
from state.errors import StateError
from state.replication import NONE, Replicas
from tasks import celery_tasks, deps
from tasks.broker import CONFIRM_S
from tasks.policy.law.warm_up import warm_up as warm_up_law
from worker import runtime
from worker.celery_support import amqp_transport, redis_transport, startup_output
from worker.celery_support.ack_failures import Task
from worker.celery_support.refusal_counter import refused
from worker.celery_support.remote_control import refuse_orders
from worker.celery_support.stall_watchdog import watch_for_it
from worker.errors import StartError, exit_code
from worker.logs import role_output, setup
from worker.monitoring.alarms import Watch
from worker.server_errors import named
from worker.settings import LIVE_KEYS, Settings, load, require

EXPIRY = timedelta(hours=2)
"""Beat writes it by its clock and the worker compares it with its own: a short one drops every sweep when they differ.
What piles up meanwhile is skipped by the tasks themselves."""
QUORUM = {"x-queue-type": "quorum", "x-delivery-limit": 20}
"""RabbitMQ's queues: kept on several nodes, so that one may fail. Celery sees the type, and sets the prefetch for each
consumer: such a queue knows no other. What came back so often is dropped there. That is no loss: the outbox dispatches
an outreach again when its lease has run out, and itself gives up one that stops its worker."""
CHILD_TRIES = 10
CHILD_PAUSE_S = 1.0

log = structlog.stdlib.get_logger("winback.app")


def _role() -> str:
    """Return the role of this process, read from its command line: a worker's by its queue, however it is named."""
    for word in sys.argv:
        name = word.partition("@")[0]
        if name in {"sweep", "recover", "beat", "flower"}:
            return name
        for queue in (celery_tasks.SWEEP_QUEUE, celery_tasks.RECOVER_QUEUE):
            if queue in word.split(","):
                return queue.partition(".")[2]
    return "worker"


class _Worker(Protocol):
    """What is used of Celery's WorkController."""

    app: Celery
    pool_cls: object


def _stop(problem: Exception) -> None:
    """End the process with one line per problem. Not an exception: Celery would log it and go on."""
    role_output.refuse(problem, _role())
    raise SystemExit(exit_code(problem))


class _Consumer(Protocol):
    """What is used of Celery's Consumer."""

    app: Celery


@cache
def _settings() -> Settings:
    """Read once: a process of the pool that is born later must not take on another file than its parent checked."""
    try:
        settings = load()
        require(settings, "broker_url", "redis_url")
    except StartError as exc:
        _stop(exc)
    return settings


def _configuration(settings: Settings) -> dict[str, object]:
    every = {"sweep": settings.detection.sweep_interval, "dispatch": settings.delivery.dispatch_interval}
    lease_s = settings.delivery.lease.total_seconds()
    return {
        "broker_url": settings.broker_url,
        "broker_connection_retry_on_startup": True,
        # Without a limit: the broker may be away, or take no writes, for hours. A refusal (MISCONF, READONLY) counts as
        # a lost connection; Celery would end the worker otherwise.
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_transport_options": _transport_options(settings),
        "task_publish_retry_policy": {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
        "task_serializer": "json",
        "accept_content": ["json"],
        "result_backend": None,
        "task_ignore_result": True,
        "task_acks_late": True,
        # A task that kills its worker would be delivered for ever; the outbox counts and gives up.
        "task_reject_on_worker_lost": False,
        # An attempt ends within its deadline; recording it may be tried again for a lease.
        "task_time_limit": 2 * lease_s,
        "worker_prefetch_multiplier": 1,
        "worker_max_tasks_per_child": 20_000,
        "worker_max_memory_per_child": 400_000,
        "worker_send_task_events": True,
        # Only remote control or a task's own setting could set one, and it would slow sending unnoticed.
        "worker_disable_rate_limits": True,
        "worker_consumer": "worker.celery_support.consumer:Consumer",
        "task_queues": [_queue(name, settings) for name in (celery_tasks.SWEEP_QUEUE, celery_tasks.RECOVER_QUEUE)],
        "task_default_queue": celery_tasks.RECOVER_QUEUE,
        "task_routes": {
            "winback.sweep": {"queue": celery_tasks.SWEEP_QUEUE},
            "winback.dispatch": {"queue": celery_tasks.SWEEP_QUEUE},
            "winback.recover": {"queue": celery_tasks.RECOVER_QUEUE},
        },
        "beat_scheduler": "worker.celery_support.scheduler:Scheduler",
        "beat_schedule": {
            name: {
                "task": f"winback.{name}",
                "schedule": interval,
                "options": {"expires": EXPIRY.total_seconds(), "confirm_timeout": CONFIRM_S},
            }
            for name, interval in every.items()
        },
        "timezone": "UTC",
    }


def _queue(name: str, settings: Settings) -> Queue:
    # With an exchange of its own: the default one would be shared, and with AMQP its key too.
    arguments = QUORUM if _is_amqp(settings) else None
    return Queue(name, Exchange(name), routing_key=name, queue_arguments=arguments)  # type: ignore[no-untyped-call]


def _is_amqp(settings: Settings) -> bool:
    return (settings.broker_url or "").startswith("amqp")


def _transport_options(settings: Settings) -> dict[str, object]:
    if _is_amqp(settings):
        # Otherwise a message that RabbitMQ could not take would be missed for as long as its lease.
        return {"confirm_publish": True}
    return {
        # Longer than any task may last. A message that comes back all the same is recognised and dropped.
        "visibility_timeout": max(600.0, 4 * settings.delivery.lease.total_seconds()),
        # How often, in turns of the event loop and in seconds, kombu looks for messages of dead workers.
        "unacked_restore_limit": 1000,
        "socket_timeout": 10.0,
        "socket_connect_timeout": 5.0,
        "socket_keepalive": True,
        "health_check_interval": 25,
    }


_joined: list[runtime.State] = []
"""The state that this worker said it joined; the processes of a prefork pool open their own."""
_replicas: list[Replicas] = [NONE]
"""How many replicas must acknowledge, as this worker found it at its start: a process of its pool that is born while a
primary is cut off from its replicas must not take that for a server without any."""

if _is_amqp(_settings()):
    # It would declare 28 more queues for delayed messages, of which there are none here.
    Consumer.Blueprint.default_steps.remove("celery.worker.consumer.delayed_delivery:DelayedDelivery")

if "celery" in Path(sys.argv[0]).parts[-2:]:  # bin/celery, or celery/__main__.py
    startup_output.replace(_role())
redis_transport.install()
amqp_transport.install()
refuse_orders()
app = Celery("winback", task_cls=Task)
app.conf.update(_configuration(_settings()))
app.finalize()


# Celery sets up logging only after it has warned of the user, and after our own first lines.
@signals.celeryd_init.connect
@signals.setup_logging.connect
def _set_up_logging(**_kwargs: object) -> None:
    setup.configure(_role())
    # Two lines for each sweep and attempt say nothing that our own one line does not; errors still show.
    for name in ("celery.beat", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)


@signals.worker_init.connect
def _join(sender: _Worker, **_kwargs: object) -> None:
    """Before a worker takes anything: the settings its queues need, and a server that fits."""
    settings, sends = _settings(), _sends(sender)
    try:
        require(settings, "identity_secret", *(LIVE_KEYS if sends and settings.delivery.mode == "live" else ()))
        with named(settings):
            state = runtime.open_state(settings, sends=sends)
            runtime.join_deployment(state, settings, personal=sends)
            if sends:
                _replicas[:] = [runtime.count_replicas(state, settings)]
                state.declare()
    except (StartError, StateError) as exc:
        _stop(exc)
    _joined[:] = [state]
    if "prefork" not in str(sender.pool_cls):
        # The threads and solo pools run the tasks in this process, and never send worker_process_init.
        deps.install(runtime.build_deps(settings, sends=sends, replicas=_replicas[0]))
    else:
        # What the processes of the pool have in common stays common: the collector would write to every page of it.
        warm_up()
        warm_up_law()
        gc.collect()
        gc.freeze()


@signals.worker_process_init.connect
def _equip_child(**_kwargs: object) -> None:
    for _ in range(CHILD_TRIES):
        try:
            deps.install(runtime.build_deps(_settings(), sends=True, replicas=_replicas[0]))
        except StateError as exc:
            log.warning("state_unreachable", error=str(exc))
            sleep(CHILD_PAUSE_S)
        else:
            return
    # Without what it needs it would fail every task at once, and so be given most of them. The pool replaces it.
    os._exit(1)


@signals.heartbeat_sent.connect
def _say_alive(**_kwargs: object) -> None:
    for state in _joined:
        # Should it fail: a missing sign of life says just that.
        with suppress(StateError):
            state.beat(_role())
            if state.how:
                state.declare()
            refused.record(state.scripts, state.keys)


@signals.worker_shutdown.connect
def _withdraw(**_kwargs: object) -> None:
    """After the last attempt: another worker needn't wait until the declaration of this one counts no more."""
    for state in _joined:
        with suppress(StateError):
            announcements.withdraw(state.scripts, state.keys)
    _joined.clear()


@signals.worker_ready.connect
def _watch(sender: _Consumer, **_kwargs: object) -> None:
    # Not before: the processes of a pool are forked by now, and a thread is nothing to fork beside.
    Watch(_settings()).start()
    for queue in sender.app.amqp.queues.consume_from:
        watch_for_it(sender.app, queue)


def _sends(worker: _Worker) -> bool:
    return celery_tasks.RECOVER_QUEUE in worker.app.amqp.queues.consume_from
