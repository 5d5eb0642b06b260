"""Winback itself. Ingest reads JSON from a stream, validates, orders, applies and acknowledges it."""

from collections.abc import Sequence

from bench.alternatives.measure import Meter, emptied, used_bytes
from bench.alternatives.workload import Cost
from bench.applying import BLOCK, apply, ingest, publish
from bench.shop_log import Logged
from bench.winback.running import SECRET
from worker import runtime
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey


def cost(server: EmbeddedValkey, log: Sequence[Logged]) -> Cost:
    client, meter = emptied(server), Meter(server.pid)
    settings = load({**SECRET, **BLOCK, "WINBACK_REDIS_URL": server.url}, config=None)
    state = runtime.open_state(settings)
    state.streams.first.create_group()
    before = used_bytes(client)
    publish(client, state.keys.events, (logged.entry for logged in log))
    with meter.running():
        apply(ingest(state, settings), state, len(log))
    return meter.cost(log, used_bytes(client) - before)
