"""One Celery task with a countdown for each event, voided by the next event of the session.

The task compares its token with the session's. `revoke` isn't used: it goes to every worker, is lost at a restart, and
holds at most fifty thousand. `celery -A bench.alternatives.celery_countdown worker` reports.
"""

import os
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_ready
from redis import Redis

from bench.alternatives.measure import Meter, emptied, used_bytes
from bench.alternatives.programs import Program, environment, until_ready
from bench.alternatives.reports import SERVER, read, ready, report
from bench.alternatives.workload import BATCH, Cost, fields_of, sessions_in
from bench.processes import memory_bytes, processor_s
from bench.shop_log import Logged
from bench.waiting import wait_for
from worker.supervision.embedded_valkey import EmbeddedValkey

VISIBLE_AGAIN = "BENCH_VISIBLE_AGAIN"
"""After how many seconds a worker's unfinished task is redelivered; must be longer than the longest countdown."""
WORKER = (
    "celery",
    "-A",
    "bench.alternatives.celery_countdown",
    "worker",
    "-P",
    "threads",
    "-c",
    "4",
    "-l",
    "error",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
)

app = Celery("countdown", broker=os.environ.get(SERVER, ""), set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    # Each task that waits for its time counts as unfinished.
    worker_prefetch_multiplier=0,
    broker_transport_options={
        "visibility_timeout": int(os.environ.get(VISIBLE_AGAIN, "3600")),
        "unacked_restore_limit": 1000,
    },
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)


@cache
def client() -> Any:  # noqa: ANN401 - the driver's stubs know nothing of what comes back
    return Redis.from_url(os.environ[SERVER], decode_responses=True)


@app.task(name="remind")
def remind(session: str, token: str) -> None:
    if client().hget(f"session:{session}", "token") == token:
        client().hgetall(f"session:{session}")  # the data that the report needs
        report(session)


@worker_ready.connect
def _say_ready(**_: object) -> None:
    ready()


class Publisher:
    """The shop's work at each event, for many events at once, over one connection."""

    def __init__(self, url: str) -> None:
        app.conf.broker_url = url
        self._client: Any = Redis.from_url(url)
        self._producer = app.amqp.Producer(app.connection_for_write())
        self._numbers = count()

    def note(self, events: Sequence[dict[str, Any]], silent_s: float) -> None:
        pipe = self._client.pipeline(transaction=False)
        tokens = [f"{os.getpid()}-{next(self._numbers)}" for _ in events]
        for event, token in zip(events, tokens, strict=True):
            pipe.hset(f"session:{event['session_id']}", mapping=fields_of(event) | {"token": token})
        pipe.execute()
        for event, token in zip(events, tokens, strict=True):
            remind.apply_async((event["session_id"], token), countdown=silent_s, producer=self._producer, retry=False)


def cost(server: EmbeddedValkey, log: Sequence[Logged], directory: Path) -> Cost:
    """Publish for each event, then let a worker take and run all tasks when they are due.

    The rate is that of the slower of the two, as if each had its own processor. The worker's rate comes from its
    processor time: by the clock it would seem slower, because it waits until the tasks are due.
    """
    client, meter, publisher = emptied(server), Meter(server.pid), Publisher(server.url)
    # Long enough for the worker to take all of them before the first is due, as in real use.
    silent_s = 5.0 + len(log) / 1000
    before = used_bytes(client)
    with meter.running():
        for start in range(0, len(log), BATCH):
            publisher.note([event for _, event in log[start : start + BATCH]], silent_s)
    grown, publish_s = used_bytes(client) - before, meter.clock_s
    client.config_resetstat()
    server_pid = server.pid
    assert server_pid is not None
    reports = directory / "celery-countdown"
    reports.unlink(missing_ok=True)
    env = environment(server.url, reports, silent_ms=0, takes_ms=0)
    with until_ready(Program(WORKER, env, directory / "celery.log"), reports) as worker:
        resident = memory_bytes(worker.pid)
        worker_s, server_s = processor_s(worker.pid), processor_s(server_pid)
        wait_for(lambda: client.llen("celery") == 0, 300, every_s=0.5)
        grown += memory_bytes(worker.pid) - resident
        wait_for(lambda: _done(client) >= len(log), 300, every_s=0.5)
        worker_s, server_s = processor_s(worker.pid) - worker_s, processor_s(server_pid) - server_s
    assert len(read(reports)) == 1 + sessions_in(log)
    return Cost(
        rate=len(log) / max(publish_s, worker_s),
        client_us=(meter.client_s + worker_s) / len(log) * 1e6,
        server_us=(meter.server_s + server_s) / len(log) * 1e6,
        session_bytes=grown / sessions_in(log),
    )


def _done(client: Any) -> int:  # noqa: ANN401 - as above
    found: dict[str, dict[str, int]] = client.info("commandstats")
    return found.get("cmdstat_hget", {}).get("calls", 0)
