"""Random messages in a queue on Redis: the worker continues, and none of them stays."""

import json
from collections.abc import Iterator
from typing import Any

import kombu
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from tests.support.hostile import EMBEDDED, HEADERS, QUEUE, Target, anything, envelope, redis_items, target
from tests.support.processes import until
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("hostile")
untyped: Any = kombu
PIDBOX = "/1.celery.pidbox"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey"), port=0) as started:
        yield started


@pytest.fixture(scope="module")
def worker(server: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    broker = server.url.removesuffix("/0") + "/1"
    with target(tmp_path_factory.mktemp("worker"), server.url, broker) as started:
        yield started


@pytest.fixture(scope="module")
def broker(server: EmbeddedValkey) -> Iterator[Any]:
    with Redis.from_url(server.url.removesuffix("/0") + "/1") as client:
        yield client


def hint(broker: Any, outreach: str) -> None:  # noqa: ANN401 - a client

    body = json.dumps([[outreach], {}, EMBEDDED]).encode()
    broker.lpush(QUEUE, json.dumps(envelope(body, dict(HEADERS), "application/json", "utf-8")))


FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(items=st.lists(redis_items(), max_size=30))
def test_worker_survives_random_messages(worker: Target, broker: Any, items: list[bytes]) -> None:  # noqa: ANN401
    if items:
        broker.lpush(QUEUE, *items)
    worker.survives(lambda outreach: hint(broker, outreach))
    until(lambda: not broker.llen(QUEUE) and not broker.hlen("unacked"))


@FEW
@given(items=st.lists(redis_items() | anything.map(repr).map(str.encode), max_size=20))
def test_worker_survives_random_remote_control(worker: Target, broker: Any, items: list[bytes]) -> None:  # noqa: ANN401
    for item in items:
        broker.publish(PIDBOX, item)
    worker.survives(lambda outreach: hint(broker, outreach))


@FEW
@given(tag=st.text("abc", min_size=1, max_size=3), left=st.binary(max_size=20) | redis_items())
def test_unreadable_message_of_a_dead_worker_is_removed(worker: Target, broker: Any, tag: str, left: bytes) -> None:  # noqa: ANN401
    del worker
    port = broker.connection_pool.connection_kwargs["port"]
    connection: Any = untyped.Connection(
        f"redis://127.0.0.1:{port}/2", transport="worker.celery_support.redis_transport:Transport"
    )
    with connection, connection.channel() as channel:
        channel.client.hset("unacked", tag, left)
        channel.client.zadd("unacked_index", {tag: 0})
        channel.qos.restore_by_tag(tag)
        assert not channel.client.hlen("unacked")


def test_error_behind_the_broker_is_not_taken_for_a_bad_message(broker: Any) -> None:  # noqa: ANN401 - a client
    port = broker.connection_pool.connection_kwargs["port"]
    connection: Any = untyped.Connection(
        f"redis://127.0.0.1:{port}/2", transport="worker.celery_support.redis_transport:Transport"
    )

    def fail(_message: object) -> None:
        raise LookupError("of ours")

    with connection, connection.channel() as channel:
        queue = untyped.Queue("a.queue")
        untyped.Producer(channel).publish("{}", routing_key="a.queue", declare=[queue])
        with untyped.Consumer(channel, [queue], on_message=fail), pytest.raises(LookupError, match="of ours"):
            connection.drain_events(timeout=5)
