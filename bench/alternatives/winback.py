"""Winback itself. Ingest reads JSON from a stream, validates it, puts it in order, applies it and acknowledges."""

from collections.abc import Sequence
from time import sleep

from bench.alternatives.job import Cost
from bench.alternatives.meter import Meter, emptied, used_bytes
from bench.shop_log import Logged
from worker import runtime
from worker.ingest import Ingest
from worker.settings import load
from worker.valkey import EmbeddedValkey


def cost(server: EmbeddedValkey, log: Sequence[Logged]) -> Cost:
    client, meter = emptied(server), Meter(server.pid)
    env = {"WINBACK_REDIS_URL": server.url, "WINBACK_IDENTITY_SECRET": "bench-bench-bench"}
    settings = load(env | {"WINBACK_INGEST__BLOCK": "100ms"}, config=None)
    state = runtime.open_state(settings)
    state.stream.create_group()
    process = Ingest(
        stream=state.stream,
        sessions=state.sessions,
        people=state.people,
        attribution=state.attribution,
        secret=runtime.identity_secret(settings),
        settings=settings.ingest,
        consumer="bench",
        beat=lambda: None,
    )
    before = used_bytes(client)
    publish(state, log)
    with meter.running():
        process.run(lambda: process.totals.entries >= len(log), sleep)
    assert process.totals.entries == len(log)
    assert process.totals.rejected == 0
    assert client.xlen(state.keys.events) == 0
    return meter.cost(log, used_bytes(client) - before)


def publish(state: runtime.State, log: Sequence[Logged]) -> None:
    """Put events into the stream as they arrived."""
    for start in range(0, len(log), 5000):
        pipe = state.client.pipeline(transaction=False)
        for logged in log[start : start + 5000]:
            pipe.xadd(state.keys.events, {"event": logged.line}, id=logged.entry_id)
        pipe.execute()
