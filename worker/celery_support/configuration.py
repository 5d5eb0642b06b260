"""Celery's configuration, made from the settings. Pure."""

from datetime import timedelta

from kombu.entity import Exchange, Queue

from tasks.broker import CONFIRM_S
from tasks.celery_tasks import RECOVER_QUEUE, SWEEP_QUEUE
from worker.settings import Settings

EXPIRY = timedelta(hours=2)
"""Beat writes it by its clock and the worker compares it with its own: a short one drops every sweep when they differ.
What piles up meanwhile is skipped by the tasks themselves."""
QUORUM = {"x-queue-type": "quorum", "x-delivery-limit": 20}
"""RabbitMQ's queues: kept on several nodes, so that one may fail. Celery sees the type, and sets the prefetch for each
consumer: such a queue knows no other. What came back so often is dropped there. That is no loss: the outbox dispatches
an outreach again when its lease has run out, and itself gives up one that stops its worker."""


def configuration(settings: Settings, role: str) -> dict[str, object]:
    """Return the configuration of a process in some role: `sweep`, `recover`, `beat`, `flower` or `worker`."""
    return {
        **_connection(settings),
        **_messages(),
        **_tasks(settings),
        **_pool(settings, role),
        **_queues(settings),
        **_schedule(settings),
    }


def is_amqp(settings: Settings) -> bool:
    """Whether the broker is RabbitMQ."""
    return (settings.broker_url or "").startswith("amqp")


def _connection(settings: Settings) -> dict[str, object]:
    return {
        "broker_url": settings.broker_url,
        "broker_connection_retry_on_startup": True,
        # Without a limit: the broker may be away, or take no writes, for hours. A refusal (MISCONF, READONLY) counts as
        # a lost connection; Celery would end the worker otherwise.
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_transport_options": _transport_options(settings),
        "task_publish_retry_policy": {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
    }


def _transport_options(settings: Settings) -> dict[str, object]:
    if is_amqp(settings):
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


def _messages() -> dict[str, object]:
    return {
        "task_serializer": "json",
        "accept_content": ["json"],
        "result_backend": None,
        "task_ignore_result": True,
        "timezone": "UTC",
    }


def _tasks(settings: Settings) -> dict[str, object]:
    return {
        "task_acks_late": True,
        # A task that kills its worker would be delivered for ever; the outbox counts and gives up.
        "task_reject_on_worker_lost": False,
        # An attempt ends within its deadline; recording it may be tried again for a lease.
        "task_time_limit": 2 * settings.delivery.lease.total_seconds(),
        "worker_send_task_events": True,
        # Only remote control or a task's own setting could set one, and it would slow sending unnoticed.
        "worker_disable_rate_limits": True,
        "worker_consumer": "worker.celery_support.consumer:Consumer",
    }


def _pool(settings: Settings, role: str) -> dict[str, object]:
    return {
        # The sweep's command names its own pool, which does one thing at a time, and fetches no more than that.
        "worker_pool": settings.worker.pool,
        "worker_concurrency": 1 if role == "sweep" else settings.worker.concurrency,
        "worker_prefetch_multiplier": 1,
        "worker_max_tasks_per_child": 20_000,
        "worker_max_memory_per_child": 400_000,
    }


def _queues(settings: Settings) -> dict[str, object]:
    return {
        "task_queues": [_queue(name, settings) for name in (SWEEP_QUEUE, RECOVER_QUEUE)],
        "task_default_queue": RECOVER_QUEUE,
        "task_routes": {
            "winback.sweep": {"queue": SWEEP_QUEUE},
            "winback.dispatch": {"queue": SWEEP_QUEUE},
            "winback.recover": {"queue": RECOVER_QUEUE},
        },
    }


def _queue(name: str, settings: Settings) -> Queue:
    # With an exchange of its own: the default one would be shared, and with AMQP its key too.
    arguments = QUORUM if is_amqp(settings) else None
    return Queue(name, Exchange(name), routing_key=name, queue_arguments=arguments)  # type: ignore[no-untyped-call]


def _schedule(settings: Settings) -> dict[str, object]:
    every = {"sweep": settings.detection.sweep_interval, "dispatch": settings.delivery.dispatch_interval}
    return {
        "beat_scheduler": "worker.celery_support.scheduler:Scheduler",
        "beat_schedule": {
            name: {
                "task": f"winback.{name}",
                "schedule": interval,
                "options": {"expires": EXPIRY.total_seconds(), "confirm_timeout": CONFIRM_S},
            }
            for name, interval in every.items()
        },
    }
