"""The limit of the single dispatcher: outreaches leased and enqueued per second, without a worker to take them.

A separate process for each broker, because Celery's application is made from the environment at import. Each tick
dispatches as many as the workers are assumed to have taken since: `in_flight` grows by this number before each.

RabbitMQ is measured if it is installed (Debian's rabbitmq-server).
"""

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from bench.figures import Figure, Goal
from bench.processes import server_s
from bench.winback import filling
from bench.winback.running import LIVE
from tasks.dispatch import dispatch
from tasks.sweep import sweep
from tests.servers.rabbitmq import rabbitmq
from worker import runtime
from worker.celery_support.task_deps import build_deps
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey

PART = "own: the dispatcher"
HOUR_MS = 3_600_000
TICK = 500


def measure(*, quick: bool = False, rounds: int = 3, number: int = 10_000) -> list[Figure]:
    found: dict[str, dict[str, list[float]]] = {}
    with TemporaryDirectory() as directory, ExitStack() as stack:
        server = stack.enter_context(EmbeddedValkey(Path(directory) / "valkey", port=0))
        brokers = {"Redis": server.url.replace("/0", "/1")}
        if shutil.which("rabbitmq-server", path=f"{os.environ['PATH']}:/usr/sbin"):
            brokers["RabbitMQ"] = stack.enter_context(rabbitmq(Path(directory) / "rabbitmq")).url
        for _ in range(rounds):
            for name, broker in brokers.items():
                env = {**LIVE, "WINBACK_REDIS_URL": server.url, "WINBACK_BROKER_URL": broker}
                words = [sys.executable, "-m", __spec__.name, "dispatch", str(number // 5 if quick else number)]
                done = subprocess.run(words, env={**os.environ, **env}, check=True, capture_output=True, text=True)
                for what, figure in json.loads(done.stdout.splitlines()[-1]).items():
                    found.setdefault(name, {}).setdefault(what, []).append(figure)
    figures = []
    for name, by_what in found.items():
        goal = Goal(">=", 1000)
        figures.append(Figure(PART, f"contacts handed out, {name} as broker", tuple(by_what["rate"]), "/s", goal))
        figures.append(
            Figure(PART, f"contact, dispatcher's processor time, {name} as broker", tuple(by_what["client"]), "us")
        )
        figures.append(
            Figure(PART, f"contact, Redis's processor time, {name} as broker", tuple(by_what["server"]), "us")
        )
    return figures


def _dispatch(number: int) -> None:
    """Dispatch this many, and print the time."""
    from tasks.broker import Broker  # noqa: PLC0415 - as below
    from tasks.celery_tasks import RECOVER_QUEUE, recover  # noqa: PLC0415 - as below
    from worker.app import app  # noqa: PLC0415 - reads the environment

    settings = load()
    state, deps = runtime.open_state(settings), build_deps(settings, sends=False)
    state.client.flushall()
    state.streams.first.create_group()
    ago = state.streams.watermark().now_ms - HOUR_MS
    filling.fill_silent(state, "bench", number, silent_ms=ago, reachable=True)
    assert sweep(deps).outreaches == number
    broker = Broker(app, RECOVER_QUEUE)
    with app.connection_for_write() as connection:  # RabbitMQ keeps no message for a queue that is not there
        queue = app.amqp.queues[RECOVER_QUEUE](connection.default_channel)
        queue.declare()
        queue.purge()
    handed_out = 0
    used, client, began = server_s(state.client), process_time(), perf_counter()
    while handed_out < number:
        more = replace(deps, in_flight=handed_out + TICK)
        done = dispatch(more, queued=lambda: 0, enqueue=lambda ids: broker.enqueue(recover, ids))
        assert done.enqueued > 0
        handed_out += done.enqueued
    took, client, used = perf_counter() - began, process_time() - client, server_s(state.client) - used
    assert broker.queued() == number, broker.queued()
    assert state.outbox.leased() == number
    print(json.dumps({"rate": number / took, "client": client / number * 1e6, "server": used / number * 1e6}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["dispatch"]:
        _dispatch(int(sys.argv[2]))
    else:
        from bench.winback.show import show

        show(measure)
