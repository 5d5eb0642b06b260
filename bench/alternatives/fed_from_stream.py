"""The same techniques with Winback's input: JSON, read from a stream by a consumer group, acknowledged.

Batches need a source: some part must collect the events of a shop's many processes, and keep them until they are
written. Nothing is validated here; the events are parsed and written.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from bench.alternatives.measure import Meter, emptied
from bench.alternatives.workload import BATCH, Cost
from bench.applying import publish
from bench.processes import processor_s
from bench.shop_log import Logged
from worker.supervision.embedded_valkey import EmbeddedValkey

STREAM, GROUP = "events", "writers"


def fed(
    server: EmbeddedValkey,
    log: Sequence[Logged],
    write: Callable[[Sequence[dict[str, Any]]], object],
    other_server: int | None = None,
) -> Cost:
    """Measure from the stream to the target of `write`; `other_server`: the process of the target server.

    The memory of a session isn't measured again.
    """
    client, meter = emptied(server), Meter(server.pid)
    client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    publish(client, STREAM, (logged.entry for logged in log))
    done, other_s = 0, 0.0 if other_server is None else processor_s(other_server)
    with meter.running():
        while done < len(log):
            reply = client.xreadgroup(GROUP, "bench", {STREAM: ">"}, count=BATCH)
            entries = reply[STREAM.encode()][0] if isinstance(reply, dict) else reply[0][1]
            write([json.loads(fields[b"event"]) for _, fields in entries])
            ids = [entry for entry, _ in entries]
            pipe = client.pipeline(transaction=True)
            pipe.xack(STREAM, GROUP, *ids)
            pipe.xdel(STREAM, *ids)
            pipe.execute()
            done += len(ids)
    if other_server is not None:
        meter.server_s += processor_s(other_server) - other_s
    assert client.xlen(STREAM) == 0
    return meter.cost(log, 0.0)
