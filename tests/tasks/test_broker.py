"""The broker can go down at any moment, and broken connections aren't used again."""

from collections.abc import Iterator
from typing import Any

import kombu
import pytest
from celery import Celery
from redis import Redis

from tasks.broker import Broker, BrokerUnavailableError
from tests.faults.proxy import Mode, Proxy
from worker.celery_support.ack_failures import Request, Task
from worker.supervision.embedded_valkey import EmbeddedValkey

QUEUE = "a.queue"
untyped: Any = kombu


@pytest.fixture
def proxy(valkey: EmbeddedValkey) -> Iterator[Proxy]:
    with Proxy(int(valkey.url.rpartition(":")[2].partition("/")[0])) as started:
        yield started


@pytest.fixture
def app(proxy: Proxy) -> Iterator[Celery]:
    app = Celery("test", broker=f"redis://127.0.0.1:{proxy.port}/1", task_cls=Task, set_as_current=False)
    app.conf.update(
        broker_transport_options={"socket_timeout": 0.3, "socket_connect_timeout": 0.3},
        task_publish_retry=False,
        task_queues=[untyped.Queue(QUEUE)],
        task_default_queue=QUEUE,
    )
    yield app
    with Redis(port=proxy.target, db=1) as client:
        client.flushdb()


@pytest.mark.xdist_group("valkey")
@pytest.mark.parametrize("mode", ["drop_replies", "refuse"])
def test_unreachable_broker_is_asked_again(app: Celery, proxy: Proxy, mode: Mode) -> None:
    broker = Broker(app, QUEUE)

    say = app.task(_nothing, name="say")

    assert broker.queued() == 0
    broker.enqueue(say, ["one"])
    proxy.set(mode)
    with pytest.raises(BrokerUnavailableError):
        broker.queued()
    with pytest.raises(BrokerUnavailableError):
        broker.enqueue(say, ["lost"])
    proxy.set("pass")
    before = broker.queued()  # messages sent while replies got lost can have arrived
    broker.enqueue(say, ["two", "three"])
    assert broker.queued() == before + 2


@pytest.mark.xdist_group("valkey")
def test_many_messages_take_few_round_trips(app: Celery, valkey: EmbeddedValkey) -> None:
    broker, say = Broker(app, QUEUE), app.task(_nothing, name="say")
    broker.enqueue(say, ["first"])
    with Redis.from_url(valkey.url) as client:
        untyped_client: Any = client
        before = untyped_client.info("stats")["total_reads_processed"]
        broker.enqueue(say, [str(number) for number in range(250)])
        reads = untyped_client.info("stats")["total_reads_processed"] - before
    assert broker.queued() == 251
    assert reads < 50


@pytest.mark.xdist_group("valkey")
def test_purge_empties_the_queue_and_counts_its_messages(app: Celery) -> None:
    broker, say = Broker(app, QUEUE), app.task(_nothing, name="say")
    assert broker.purge() == 0
    broker.enqueue(say, ["one", "two"])
    assert broker.purge() == 2
    assert broker.queued() == 0


def test_a_connection_that_is_broken_inside_is_thrown_away() -> None:
    app = Celery("test", broker="memory://", set_as_current=False)
    broker = Broker(app, QUEUE)
    broker.queued()
    broker._connection.channel = None  # the next call finds nothing that it could use
    with pytest.raises(BrokerUnavailableError, match="TypeError"):
        broker.queued()
    assert broker.queued() == 0


def test_unacknowledged_message_makes_room_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Celery("test", broker="memory://", task_cls=Task, set_as_current=False)

    work = app.task(_nothing, name="work")

    with app.connection_for_read() as connection, connection.channel() as channel:
        queue = untyped.Queue(QUEUE)
        app.amqp.Producer(channel).publish("{}", routing_key=QUEUE, declare=[queue])
        taken: list[Any] = []
        channel.basic_qos(prefetch_size=0, prefetch_count=1, apply_global=False)
        with untyped.Consumer(channel, [queue], on_message=taken.append):
            connection.drain_events(timeout=5)
            assert not channel.qos.can_consume()
            request = Request(
                taken[0], app=app, task=work, on_ack=taken[0].ack_log_error, connection_errors=(ConnectionError,),
                body=((), {}, {}), headers={"id": "1", "task": "work"}, decoded=True, utc=True,
            )  # fmt: skip

            def lost(*_args: object, **_named: object) -> None:
                raise ConnectionError

            monkeypatch.setattr(channel, "basic_ack", lost)
            request.acknowledge()
            assert channel.qos.can_consume()


def _nothing(*_arguments: object) -> None:
    """Do nothing."""
