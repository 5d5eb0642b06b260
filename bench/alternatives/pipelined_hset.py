"""HSET of two fields and ZADD, pipelined: the floor for any Python code on this server.

It validates nothing, keeps neither cart nor customer, lets older events win, and doesn't detect silent sessions.
"""

from collections.abc import Sequence
from time import time
from typing import Any

from bench.alternatives.measure import Meter, emptied, used_bytes
from bench.alternatives.workload import BATCH, Cost, sessions_in
from bench.shop_log import Logged
from worker.supervision.embedded_valkey import EmbeddedValkey


def cost(server: EmbeddedValkey, log: Sequence[Logged]) -> Cost:
    client, meter = emptied(server), Meter(server.pid)
    before = used_bytes(client)
    with meter.running():
        for start in range(0, len(log), BATCH):
            note(client, [event for _, event in log[start : start + BATCH]])
    assert client.zcard("idle") == sessions_in(log)
    return meter.cost(log, used_bytes(client) - before)


def note(client: Any, events: Sequence[dict[str, Any]]) -> None:  # noqa: ANN401 - as `emptied`
    now = time()
    pipe = client.pipeline(transaction=False)
    for event in events:
        session = str(event["session_id"])
        pipe.hset(f"session:{session}", mapping={"stage": str(event["flow_stage"]), "at": str(event["occurred_at"])})
        pipe.zadd("idle", {session: now})
    pipe.execute()
