"""The Celery application: `celery -A worker.app worker|beat|flower`.

Its messages are hints; what is to be done is in the outbox in Redis. So nothing here retries, delays or keeps results.
"""

import gc
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Lock
from time import sleep
from typing import Protocol

import structlog
from celery import Celery, signals
from celery.worker.consumer import Consumer

from state import announcements
from state.errors import StateError
from state.replication import NONE, Replicas
from tasks import celery_tasks, deps
from worker import runtime
from worker.celery_support import amqp_transport, redis_transport, startup_output
from worker.celery_support.ack_failures import Task
from worker.celery_support.configuration import configuration, is_amqp
from worker.celery_support.refusal_counter import refused
from worker.celery_support.remote_control import refuse_orders
from worker.celery_support.stall_watchdog import watch_for_it
from worker.celery_support.task_deps import build_deps
from worker.errors import StartError, exit_code
from worker.logs import role_output, setup
from worker.monitoring.alarms import Watch
from worker.server_errors import named
from worker.settings import LIVE_KEYS, Settings, load, require

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
    pool: object


@cache
def _settings() -> Settings:
    """Read once: a process of the pool that is born later must not take on another file than its parent checked."""
    try:
        settings = load()
        require(settings, "broker_url", "redis_url")
    except StartError as exc:
        _stop(exc)
    return settings


_joined: list[runtime.State] = []
"""The state that this worker said it joined; the processes of a prefork pool open their own."""
_replicas: list[Replicas] = [NONE]
"""How many replicas must acknowledge, as this worker found it at its start: a process of its pool that is born while a
primary is cut off from its replicas must not take that for a server without any."""

if is_amqp(_settings()):
    # It would declare 28 more queues for delayed messages, of which there are none here.
    Consumer.Blueprint.default_steps.remove("celery.worker.consumer.delayed_delivery:DelayedDelivery")

# bin/celery, celery/__main__.py, or our own lean_celery.py
if {"celery", "lean_celery.py"}.intersection(Path(sys.argv[0]).parts[-2:]):
    startup_output.replace(_role())
redis_transport.install()
amqp_transport.install()
refuse_orders()
app = Celery("winback", task_cls=Task)
app.conf.update(configuration(_settings(), _role()))
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
        built = build_deps(settings, sends=sends, replicas=_replicas[0])
        deps.install(replace(built, prepare=_Once(_warm_up)))
    else:
        _warm_up()
        # What the processes of the pool have in common stays common: the collector would write to every page of it.
        gc.collect()
        gc.freeze()


class _Once:
    """Calls a function at the first call; other threads wait for it."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function
        self._lock = Lock()

    def __call__(self) -> None:
        with self._lock:
            if self._function is not None:
                self._function()
                self._function = None


def _warm_up() -> None:
    """Load what attempts use, some 25 MB: before a pool is forked, or when the first outreach comes."""
    from detectors.normalize.warm_up import warm_up
    from tasks.delivery import attempt
    from tasks.policy.law.warm_up import warm_up as warm_up_law

    del attempt
    warm_up()
    warm_up_law()


@signals.worker_process_init.connect
def _equip_child(**_kwargs: object) -> None:
    for _ in range(CHILD_TRIES):
        try:
            deps.install(build_deps(_settings(), sends=True, replicas=_replicas[0]))
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
        watch_for_it(sender.app, queue, threads="thread" in str(sender.pool))


def _sends(worker: _Worker) -> bool:
    return celery_tasks.RECOVER_QUEUE in worker.app.amqp.queues.consume_from
