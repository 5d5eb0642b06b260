"""Random messages in a RabbitMQ queue: the worker continues, and none of them is redelivered."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import amqp  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.servers.rabbitmq import RabbitMQ, rabbitmq
from tests.support.hostile import EMBEDDED, HEADERS, QUEUE, Target, target
from tests.support.hostile_amqp import amqp_messages, publish
from worker.supervision.embedded_valkey import EmbeddedValkey

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as node:
        yield node


@pytest.fixture(scope="module")
def worker(broker: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    directory = tmp_path_factory.mktemp("worker")
    with (
        EmbeddedValkey(directory / "valkey", port=0) as server,
        target(directory, server.url, broker.url) as started,
    ):
        yield started


@FEW
@given(sent=st.lists(amqp_messages(), max_size=20))
def test_worker_survives_random_messages(worker: Target, broker: RabbitMQ, sent: list[Any]) -> None:
    for message in sent:
        with suppress(amqp.AMQPError, OSError):
            publish(broker.url, QUEUE, message)
    kind = {"content_type": "application/json", "content_encoding": "utf-8"}

    def hint(outreach: str) -> None:
        body = json.dumps([[outreach], {}, EMBEDDED])
        publish(broker.url, QUEUE, amqp.basic_message.Message(body, application_headers=dict(HEADERS), **kind))

    worker.survives(hint)


def test_none_of_them_is_left(worker: Target, broker: RabbitMQ) -> None:
    worker.supervisor.wait_until(lambda: broker.queues()[QUEUE][1]["messages"] == 0)
