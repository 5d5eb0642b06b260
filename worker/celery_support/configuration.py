"""Celery's configuration, made from the settings. Pure."""

from datetime import timedelta

from kombu.entity import Exchange, Queue

from tasks.broker import CONFIRM_S
from tasks.celery_tasks import ERASURES_EVERY, RECOVER_QUEUE, SWEEP_QUEUE
from worker.settings import Settings

EXPIRY = timedelta(hours=2)
"""Beat sets it by its clock, and the worker compares it with its own: with a short one, different clocks would drop
every sweep. The tasks themselves skip a backlog."""
QUORUM = {"x-queue-type": "quorum", "x-delivery-limit": 20}
"""RabbitMQ's queues: replicated on several nodes, so that one can fail. Celery detects the type and sets the prefetch
per consumer, which such a queue requires. A message that was redelivered this often is dropped. That is no loss: the
outbox dispatches an outreach again after its lease has expired, and ends one that crashes its worker."""


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
    """Return whether the broker is RabbitMQ."""
    return (settings.broker_url or "").startswith("amqp")


def _connection(settings: Settings) -> dict[str, object]:
    return {
        "broker_url": settings.broker_url,
        "broker_connection_retry_on_startup": True,
        # Without a limit: the broker can be down or refuse writes for hours. A refusal (MISCONF, READONLY) counts as a
        # lost connection; otherwise Celery would end the worker.
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_transport_options": _transport_options(settings),
        "task_publish_retry_policy": {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
    }


def _transport_options(settings: Settings) -> dict[str, object]:
    if is_amqp(settings):
        # Otherwise a message that RabbitMQ couldn't take would be missing for the length of its lease.
        return {"confirm_publish": True}
    return {
        # Longer than any task can last. A message that is redelivered anyway is recognised and dropped.
        "visibility_timeout": max(600.0, 4 * settings.delivery.lease.total_seconds()),
        # How often, in turns of the event loop and in seconds, kombu checks for messages of dead workers.
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
        # A task that crashes its worker would be redelivered without end; the outbox counts and ends it.
        "task_reject_on_worker_lost": False,
        # An attempt ends within its deadline; its record can be retried for a lease.
        "task_time_limit": 2 * settings.delivery.lease.total_seconds(),
        "worker_send_task_events": True,
        # Only remote control or a task's own setting could set one, and it would slow sending unnoticed.
        "worker_disable_rate_limits": True,
        "worker_consumer": "worker.celery_support.consumer:Consumer",
    }


def _pool(settings: Settings, role: str) -> dict[str, object]:
    return {
        # The sweep's command names its own pool, which does one thing at a time and prefetches no more.
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
            "winback.erasures": {"queue": SWEEP_QUEUE},
            "winback.recover": {"queue": RECOVER_QUEUE},
            "winback.erase": {"queue": RECOVER_QUEUE},
        },
    }


def _queue(name: str, settings: Settings) -> Queue:
    # With its own exchange: the default one would be shared, and so would its key in AMQP.
    arguments = QUORUM if is_amqp(settings) else None
    return Queue(name, Exchange(name), routing_key=name, queue_arguments=arguments)  # type: ignore[no-untyped-call]


def _schedule(settings: Settings) -> dict[str, object]:
    every = {
        "sweep": settings.detection.sweep_interval,
        "dispatch": settings.delivery.dispatch_interval,
        "erasures": ERASURES_EVERY,
    }
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
