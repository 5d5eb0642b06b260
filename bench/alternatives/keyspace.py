"""Expiring keys and keyspace notifications: HSET, and an additional key whose expiry the server announces.

As a program it is the subscriber that reports.
"""

from collections.abc import Sequence
from typing import Any

from redis import Redis

from bench.alternatives.measure import Meter, emptied, used_bytes
from bench.alternatives.reports import ready, report, server_url
from bench.alternatives.workload import BATCH, Cost, fields_of, sessions_in
from bench.shop_log import Logged
from worker.supervision.embedded_valkey import EmbeddedValkey

HOUR_MS = 3_600_000


def cost(server: EmbeddedValkey, log: Sequence[Logged]) -> Cost:
    client, meter = emptied(server), Meter(server.pid)
    client.config_set("notify-keyspace-events", "Ex")
    before = used_bytes(client)
    with meter.running():
        for start in range(0, len(log), BATCH):
            note(client, [event for _, event in log[start : start + BATCH]], HOUR_MS)
    assert client.dbsize() == 2 * sessions_in(log)
    return meter.cost(log, used_bytes(client) - before)


def note(client: Any, events: Sequence[dict[str, object]], silent_ms: int) -> None:  # noqa: ANN401 - as `emptied`
    pipe = client.pipeline(transaction=False)
    for event in events:
        session = event["session_id"]
        pipe.hset(f"session:{session}", mapping=fields_of(event))
        pipe.set(f"alive:{session}", "", px=silent_ms)
    pipe.execute()


def main() -> None:
    client: Any = Redis.from_url(server_url())
    subscriber = client.pubsub(ignore_subscribe_messages=True)
    subscriber.subscribe("__keyevent@0__:expired")
    ready()
    for message in subscriber.listen():
        key = message["data"].decode()
        if key.startswith("alive:"):
            session = key.removeprefix("alive:")
            client.hgetall(f"session:{session}")  # the data that the report needs
            report(session)


if __name__ == "__main__":
    main()
