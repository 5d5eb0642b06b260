"""The worker reports its tasks at even intervals, loses no report, and sends the last one before it ends."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from celery import Celery
from celery.concurrency.thread import TaskPool as ThreadPool
from kombu.asynchronous import Hub
from kombu.utils.imports import symbol_by_name
from redis.exceptions import ResponseError

from tests.support.waiting import eventually
from worker.celery_support.consumer import CALM_S, EVENTS_EVERY_S, Consumer

Untyped = Any
"""Of Celery and kombu, whose types are incomplete."""


class Parts:
    """The missing parts of a consumer."""

    def send_all(self, *_args: object, **_kwargs: object) -> None:
        """Do nothing."""

    def shutdown(self, *_args: object) -> None:
        """Do nothing."""


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def consumer(told: list[str]) -> Iterator[Untyped]:
    app = Celery("test", broker="memory://", set_as_current=False)
    hub: Untyped = Hub
    with app.connection_for_read() as connection:
        consumer: Untyped = Consumer.__new__(Consumer)
        consumer.blueprint, consumer.hub, consumer._pending_operations = Parts(), hub(), []
        consumer.pool = Parts()
        consumer.event_dispatcher = app.events.Dispatcher(
            connection, buffer_group=["task"], on_send_buffered=consumer.on_send_event_buffered
        )
        publish = consumer.event_dispatcher.producer.publish

        def naming_changes(events: list[dict[str, str]], **kwargs: object) -> None:
            told.append(" ".join(event["uuid"] for event in events))
            publish(events, **kwargs)

        consumer.event_dispatcher.producer.publish = naming_changes
        yield consumer


def test_the_workers_have_this_consumer() -> None:
    look = "from worker.app import app; print(app.conf.worker_consumer)"
    env = {"WINBACK_REDIS_URL": "redis://127.0.0.1:1/0"}
    said = subprocess.run([sys.executable, "-c", look], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert symbol_by_name(said.stdout.strip()) is Consumer  # type: ignore[no-untyped-call]


def test_events_wait_for_the_interval_and_go_out_together(consumer: Untyped, told: list[str]) -> None:
    consumer.register_with_event_loop(consumer.hub)
    for uuid in ("a", "b", "c"):
        consumer.event_dispatcher.send("task-started", uuid=uuid)
    assert told == []
    eventually(lambda: consumer.hub.fire_timers() and told, within_s=20 * EVENTS_EVERY_S)
    assert told == ["a b c"]
    consumer.event_dispatcher.send("task-started", uuid="d")
    eventually(lambda: consumer.hub.fire_timers() and len(told) > 1, within_s=20 * EVENTS_EVERY_S)
    assert told == ["a b c", "d"]


def test_many_events_do_not_wait(consumer: Untyped, told: list[str]) -> None:
    for number in range(50):
        consumer.event_dispatcher.send("task-started", uuid=str(number))
    assert len(told) == 2


def test_threads_publish_no_events(consumer: Untyped, told: list[str]) -> None:
    consumer.pool = ThreadPool(limit=2)
    consumer.register_with_event_loop(consumer.hub)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: consumer.event_dispatcher.send("task-started", uuid=str(n)), range(100)))
    assert told == []

    consumer.shutdown()

    assert sorted(" ".join(told).split(), key=int) == [str(number) for number in range(100)]


def test_last_events_are_sent_before_the_end(consumer: Untyped, told: list[str]) -> None:
    consumer.event_dispatcher.send("task-succeeded", uuid="a")
    consumer.shutdown()
    assert told == ["a"]


def test_refusals_of_the_broker_pause_longer_each_time(consumer: Untyped, monkeypatch: pytest.MonkeyPatch) -> None:
    now, pauses = [0.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr("worker.celery_support.consumer.monotonic", lambda: now[0])
    monkeypatch.setattr("worker.celery_support.consumer.sleep", sleep)
    consumer.channel_errors = (ResponseError,)
    for _ in range(7):
        began = now[0]
        consumer._pause(ResponseError("READONLY"))
        pauses.append(round(now[0] - began))
    assert pauses == [1, 1, 2, 4, 8, 10, 10]
    now[0] += CALM_S + 1
    before = now[0]
    consumer._pause(ResponseError("READONLY"))
    assert now[0] - before < 1
    before = now[0]
    consumer._pause(ConnectionError())
    assert now[0] == before
