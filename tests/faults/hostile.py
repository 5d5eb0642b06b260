"""Fault 26: foreign messages and commands of the broker."""

import json
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import amqp  # type: ignore[import-untyped]
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.faults.fault import OR_UNKNOWN, Fault, Scene
from tests.faults.refusals import ALARMS
from tests.faults.servers import WORKS_AGAIN_WITHIN_S
from tests.servers.rabbitmq import rabbitmq
from tests.support.hostile import EMBEDDED, HEADERS, envelope, redis_items
from tests.support.hostile_amqp import amqp_messages, publish

ROOT = Path(__file__).parent.parent.parent
QUEUES = ("winback.recover", "winback.sweep")
MESSAGES = 100
DUPLICATES = 30_000
ORDERS = (
    ("rate_limit", "winback.recover", "1/m"),
    ("rate_limit", "winback.sweep", "1/h"),
    ("time_limit", "winback.recover", "0.001", "0.001"),
    ("pool_shrink", "3"),
    ("cancel_consumer", "winback.recover"),
    ("shutdown",),
)


def random_items(of: SearchStrategy[Any], number: int) -> list[Any]:
    """Return random messages, the same for the same number."""
    found: list[Any] = []

    @seed(number)
    @settings(
        max_examples=MESSAGES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(of)
    def collect(item: Any) -> None:  # noqa: ANN401 - whatever is drawn
        found.append(item)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collect()
    return found


def messages(scene: Scene) -> None:
    """Put random messages into both queues while shoppers arrive."""
    system = scene.system
    pids, began = system.supervisor.pids(), time.time()
    scene.open(30, over_s=2.0)
    items = random_items(redis_items(), scene.random.randrange(2**32))
    with system.broker as broker:
        for item in items:
            broker.lpush(scene.random.choice(QUEUES), item)
        # Messages of the roles themselves can pile up there on a busy machine.
        system.until(lambda: all(map(_is_ours, _waiting(broker))), 30, "the end of the hostile messages")
    _says_so(scene, began, pids, "messages_refused")


def _waiting(broker: Any) -> Iterator[bytes]:  # noqa: ANN401 - a client
    for queue in QUEUES:
        yield from broker.lrange(queue, 0, -1)


def _is_ours(item: bytes) -> bool:
    """Return whether Celery wrote a message; the hostile ones have another origin, or none."""
    try:
        return re.fullmatch(r"gen\d+@.+", json.loads(item)["headers"]["origin"]) is not None
    except (ValueError, TypeError, LookupError, RecursionError):
        return False


def messages_of_amqp(scene: Scene) -> None:
    """Put random messages into both queues of RabbitMQ while shoppers arrive."""
    system = scene.system
    pids, began = system.supervisor.pids(), time.time()
    scene.open(30, over_s=2.0)
    url = system.settings.broker_url or ""
    for message in random_items(amqp_messages(), scene.random.randrange(2**32)):
        with suppress(amqp.AMQPError, OSError):  # RabbitMQ closes the connection if it can't store a message
            publish(url, scene.random.choice(QUEUES), message)
    _says_so(scene, began, pids, "messages_refused")


@contextmanager
def on_rabbitmq(directory: Path) -> Iterator[Mapping[str, str]]:
    """Run a RabbitMQ to be the broker."""
    with rabbitmq(directory) as broker:
        yield {"WINBACK_BROKER_URL": broker.url}


def commands(scene: Scene) -> None:
    """Send the workers remote commands to slow down and to stop, while shoppers arrive."""
    system = scene.system
    pids, began = system.supervisor.pids(), time.time()
    scene.open(30, over_s=2.0)
    for order in ORDERS:
        command = [sys.executable, "-m", "celery", "-A", "worker.app", "control", *order]
        subprocess.run(command, env={**os.environ, **system.env}, cwd=ROOT, capture_output=True, check=False)
    _says_so(scene, began, pids, "remote_control")


def duplicates(scene: Scene) -> None:
    """Repeat a hint 30,000 times, with the id of an open outreach or an unknown one."""
    system = scene.system
    scene.open(30, over_s=2.0)
    system.until(system.open_outreaches, 30)
    began = time.time()
    hint = scene.random.choice(_open(scene) or ["07-0123456789abcdef"])
    body = json.dumps([[hint], {}, EMBEDDED]).encode()
    with system.broker as broker:
        for _ in range(DUPLICATES // 1000):
            each = [envelope(body, dict(HEADERS), "application/json", "utf-8") for _ in range(1000)]
            broker.lpush("winback.recover", *map(json.dumps, each))
    system.until(lambda: system.said("flooded", since=began), 20, "I6: a log line on the flood")


def _open(scene: Scene) -> list[str]:
    keys = (scene.system.state.keys.leased(number) for number in range(64))
    return [outreach.decode() for key in keys for outreach in scene.system.redis.zrange(key, 0, -1)]


def _says_so(scene: Scene, began: float, pids: object, words: str) -> None:
    """Expect a log line, and that no worker ended."""
    scene.system.until(lambda: scene.system.said(words, since=began), 10, "I6: a log line on the refusals")
    scene.expect(scene.system.supervisor.pids() == pids, "a hostile message ended a worker")
    scene.system.until(scene.system.all_alive, WORKS_AGAIN_WITHIN_S, "a heartbeat of every role")


FAULTS = (
    Fault("26a", "hostile messages in the queues of Redis", messages, OR_UNKNOWN, ALARMS),
    Fault(
        "26b", "hostile messages in the queues of RabbitMQ", messages_of_amqp, OR_UNKNOWN, ALARMS, around=on_rabbitmq
    ),
    Fault("26c", "remote control: rate and time limits, pool, shutdown", commands, OR_UNKNOWN, ALARMS),
    Fault("26d", "30,000 duplicates of a message", duplicates, OR_UNKNOWN, ALARMS),
)
