"""The steps of a worker from its start to its end, at Celery's signals: join, prepare, watch, heartbeat, withdraw."""

import gc
import os
from contextlib import suppress
from dataclasses import replace
from time import sleep
from typing import Protocol

import structlog
from celery import Celery

from state import announcements
from state.errors import StateError
from state.replication import NONE, Replicas
from tasks import deps
from tasks.celery_tasks import RECOVER_QUEUE
from worker import runtime
from worker.celery_support.consumer import has_threads
from worker.celery_support.lazy_loading import Once, load_for_attempts
from worker.celery_support.process import refuse_to_start
from worker.celery_support.refusal_counter import refused
from worker.celery_support.stall_watchdog import start_stall_watchdog
from worker.celery_support.task_deps import build_deps
from worker.errors import StartError
from worker.monitoring.alarms import AlarmMonitor
from worker.server_errors import naming_server
from worker.settings import LIVE_KEYS, Settings, require
from worker.tracing import require_exporter

CHILD_TRIES = 10
CHILD_PAUSE_S = 1.0

log = structlog.stdlib.get_logger("winback.app")


class _Worker(Protocol):
    """The used part of Celery's WorkController."""

    app: Celery
    pool_cls: object


class _Consumer(Protocol):
    """The used part of Celery's Consumer."""

    app: Celery
    pool: object


class Lifecycle:
    """The steps of one worker. Celery calls each method with keywords that aren't used here."""

    def __init__(self, settings: Settings, role: str) -> None:
        self._settings = settings
        self._role = role
        self._joined: runtime.State | None = None
        """The state that this worker joined; the processes of a prefork pool open their own."""
        self._replicas: Replicas = NONE
        """How many replicas must acknowledge, as counted at the start of this worker. A pool process that starts while
        a primary is cut off from its replicas must not count again and find none."""

    def join(self, sender: _Worker, **_kwargs: object) -> None:
        """Before a worker takes messages: require the settings of its queues, and a suitable server."""
        sends = RECOVER_QUEUE in sender.app.amqp.queues.consume_from
        try:
            self._require_keys(sends=sends)
            with naming_server(self._settings):
                self._joined = self._join(sends=sends)
        except (StartError, StateError) as exc:
            refuse_to_start(exc, self._role)
        if "prefork" in str(sender.pool_cls):
            load_for_attempts()
            # Keep shared memory of the pool's processes shared: the collector would write to every page of it.
            gc.collect()
            gc.freeze()
        else:
            # The threads and solo pools run the tasks in this process, and never send worker_process_init.
            self._install_deps(sends=sends)

    def _require_keys(self, *, sends: bool) -> None:
        require_exporter()
        live = sends and self._settings.delivery.mode == "live"
        require(self._settings, "identity_secret", *(LIVE_KEYS if live else ()))

    def _join(self, *, sends: bool) -> runtime.State:
        state = runtime.open_state(self._settings, sends=sends)
        runtime.join_deployment(state, self._settings, personal=sends)
        if sends:
            self._replicas = runtime.count_replicas(state, self._settings)
            state.declare()
        return state

    def _install_deps(self, *, sends: bool) -> None:
        built = build_deps(self._settings, sends=sends, replicas=self._replicas)
        deps.install(replace(built, prepare=Once(load_for_attempts)))

    def prepare_child(self, **_kwargs: object) -> None:
        """In a new process of a prefork pool: install the tasks' dependencies."""
        for _ in range(CHILD_TRIES):
            try:
                deps.install(build_deps(self._settings, sends=True, replicas=self._replicas))
            except StateError as exc:
                log.warning("state_unreachable", error=str(exc))
                sleep(CHILD_PAUSE_S)
            else:
                return
        # Without them it would fail every task at once, and so get most of them. The pool replaces it.
        os._exit(1)

    def watch(self, sender: _Consumer, **_kwargs: object) -> None:
        """Start the threads that monitor the other roles and this worker."""
        # Start threads only when it is ready, after the pool has forked: forking a multi-threaded process is unsafe.
        AlarmMonitor(self._settings).start()
        for queue in sender.app.amqp.queues.consume_from:
            start_stall_watchdog(sender.app, queue, threads=has_threads(sender.pool))

    def send_heartbeat(self, **_kwargs: object) -> None:
        """Record that this worker runs, how it sends, and its refusals."""
        state = self._joined
        if state is None:
            return
        # If it fails, the missing heartbeat shows it.
        with suppress(StateError):
            state.heartbeat(self._role)
            if state.sending_mode:
                state.declare()
            refused.record(state.scripts, state.keys)

    def withdraw(self, **_kwargs: object) -> None:
        """After the last attempt: withdraw this worker's declaration, so that others needn't wait until it expires."""
        state, self._joined = self._joined, None
        if state is not None:
            with suppress(StateError):
                announcements.withdraw(state.scripts, state.keys)
