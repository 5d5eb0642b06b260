"""Random messages in a queue of RabbitMQ: the worker goes on, and none of them comes back."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import amqp  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import EMBEDDED, HEADERS, QUEUE, Target, bodies, content_types, encodings, headers, target
from tests.servers.rabbitmq import RabbitMQ, rabbitmq
from worker.valkey import EmbeddedValkey

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
OF_AMQP = st.sampled_from(
    [datetime(9999, 12, 31, tzinfo=UTC), Decimal("1.5"), b"\xff\xfe", {"a": {"b": [None]}}, 2**62]
)
NAMES = st.sampled_from(["task", "id", "timelimit", "expires", "eta", "compression", "retries"])


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


def publish(broker: RabbitMQ, message: Any) -> None:  # noqa: ANN401 - of amqp
    """Publish and wait for the confirmation. RabbitMQ closes the connection for what it can't store itself."""
    port = broker.url.rpartition(":")[2].partition("/")[0]
    with amqp.Connection(f"127.0.0.1:{port}", confirm_publish=True) as connection:
        connection.channel().basic_publish(message, exchange=QUEUE, routing_key=QUEUE)


@st.composite
def messages(draw: st.DrawFn) -> Any:  # noqa: ANN401 - of amqp
    """A message with properties that are anything AMQP can say."""
    head = _sayable(draw(headers))
    if draw(st.booleans()):
        head[draw(NAMES)] = draw(OF_AMQP)
    properties = {"content_type": draw(content_types), "content_encoding": draw(encodings), "application_headers": head}
    if draw(st.booleans()):
        properties[draw(st.sampled_from(["content_type", "correlation_id", "reply_to", "message_id"]))] = b"\xff\xfe"
    return amqp.basic_message.Message(draw(bodies), **properties)


def _sayable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same without names that are too long for AMQP."""
    if isinstance(value, dict):
        return {name[:60]: _sayable(inner) for name, inner in value.items()}
    return [_sayable(inner) for inner in value] if isinstance(value, list) else value


@FEW
@given(sent=st.lists(messages(), max_size=20))
def test_worker_survives_random_messages(worker: Target, broker: RabbitMQ, sent: list[Any]) -> None:
    for message in sent:
        with suppress(amqp.AMQPError, OSError):
            publish(broker, message)
    kind = {"content_type": "application/json", "content_encoding": "utf-8"}

    def hint(outreach: str) -> None:
        body = json.dumps([[outreach], {}, EMBEDDED])
        publish(broker, amqp.basic_message.Message(body, application_headers=dict(HEADERS), **kind))

    worker.survives(hint)


def test_none_of_them_is_left(worker: Target, broker: RabbitMQ) -> None:
    worker.supervisor.wait_until(lambda: broker.queues()[QUEUE][1]["messages"] == 0)
