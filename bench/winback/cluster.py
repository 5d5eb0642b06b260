"""A cluster of three nodes compared with one server, on this machine: an event's cost, and its distribution.

Three nodes on one machine aren't faster than one. The processor time of each node counts, because on three machines
each would have its own.
"""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, cast

from redis import Redis
from redis.crc import key_slot

from bench.applying import BLOCK, apply, ingest, publish
from bench.encryption_cost import Nobody
from bench.figures import Figure, ratio
from bench.processes import server_s
from bench.shop_log import Logged
from bench.winback import filling
from bench.winback.log_on_server import some_log
from bench.winback.nodes import Place, cluster
from state.keys import Keys
from state.partitions import PARTITIONS
from tasks.delivery.attempt import attempt
from tasks.delivery.yuno import YunoClient
from tasks.sweep import sweep
from tests.support.cluster_nodes import NODES, owner
from worker import runtime
from worker.celery_support.task_deps import build_deps
from worker.ingest.consumer import tune_gc
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey

PART = "own: three nodes against one"
HOUR_MS = 3_600_000
CLAIMED = 1000
MISPLACED = ("CROSSSLOT", "MOVED", "ASK", "CLUSTERDOWN", "TRYAGAIN")
"""Errors of a server that got keys of other nodes, or of several slots."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The cost of ingesting the whole log (us per event; events per second)."""

    by_node: tuple[float, ...]
    client: float
    rate: float


def measure(*, quick: bool = False, rounds: int = 3) -> list[Figure]:
    tune_gc()
    log = some_log(quick)
    of_one: list[Measured] = []
    of_three: list[Measured] = []
    of_streams: list[Measured] = []
    with TemporaryDirectory() as directory, ExitStack() as stack:
        server = stack.enter_context(EmbeddedValkey(Path(directory) / "one", port=0))
        one = Place(server.url, (Redis.from_url(server.url),))
        three = stack.enter_context(cluster(Path(directory)))
        ways = ((one, 1, of_one), (three, 1, of_three), (three, NODES, of_streams))
        for number in range(rounds):
            for place, streams, found in ways[:: 1 if number % 2 else -1]:
                found.append(_ingest(place, log, streams))
        keys = [int(node.dbsize()) for node in three.nodes]
        calls = [_calls(node) for node in three.nodes]
        _whole_way(three)
        for node in three.nodes:
            wrong = set(node.info("errorstats")) & {f"errorstat_{name}" for name in MISPLACED}
            assert not wrong, f"asked for what it does not have: {wrong}"
    return _figures(of_one, of_three, keys, calls) + _by_streams(of_three, of_streams)


def _figures(of_one: list[Measured], of_three: list[Measured], keys: list[int], calls: list[int]) -> list[Figure]:
    sums = [[sum(found.by_node) for found in rounds] for rounds in (of_one, of_three)]
    streams = owner(key_slot(Keys().events.encode()))
    parts = [0] * NODES
    for number in range(PARTITIONS):
        parts[owner(key_slot(f"{number:02d}".encode()))] += 1
    found = [
        Figure(PART, "event, one server", tuple(sums[0]), "us"),
        Figure(PART, "event, three nodes together", tuple(sums[1]), "us"),
        ratio(PART, "event, three nodes together against one server", sums[1], sums[0]),
        Figure(PART, "event, ingest process, one server", tuple(found.client for found in of_one), "us"),
        Figure(PART, "event, ingest process, three nodes", tuple(found.client for found in of_three), "us"),
        Figure(PART, "ingest, one server, one process", tuple(found.rate for found in of_one), "/s"),
        Figure(PART, "ingest, three nodes, one process", tuple(found.rate for found in of_three), "/s"),
    ]
    for place in range(NODES):
        name = f"node {place + 1}{', which has the stream' if place == streams else ''}, {parts[place]} partitions"
        found.append(Figure(PART, f"event, {name}", tuple(found.by_node[place] for found in of_three), "us"))
        found.append(Figure(PART, f"keys, {name}", (keys[place] / sum(keys) * 100,), "%"))
        found.append(Figure(PART, f"script calls, {name}", (calls[place] / sum(calls) * 100,), "%"))
    for nodes in (3, 6, 12):
        note = f"of {PARTITIONS} partitions, slots dealt out evenly"
        found.append(Figure(PART, f"fullest of {nodes} nodes against their mean", (_fullest(nodes),), note=note))
    return found


def _by_streams(of_one: list[Measured], of_three: list[Measured]) -> list[Figure]:
    """Compare three nodes with one stream and with three, one on each node."""
    heaviest = [
        [max(found.by_node) / (sum(found.by_node) / NODES) for found in rounds] for rounds in (of_one, of_three)
    ]
    note = "busiest node against the mean of all three"
    sums = [[sum(found.by_node) for found in rounds] for rounds in (of_one, of_three)]
    return [
        Figure(PART, "balance with one stream", tuple(heaviest[0]), note=note),
        Figure(PART, "balance with three streams", tuple(heaviest[1]), note=note),
        ratio(PART, "event, three streams against one", sums[1], sums[0]),
        Figure(PART, "event, ingest process, three streams", tuple(found.client for found in of_three), "us"),
        Figure(PART, "ingest, three nodes and streams, one process", tuple(found.rate for found in of_three), "/s"),
    ]


def _ingest(place: Place, log: list[Logged], streams: int) -> Measured:
    settings = load({**place.env, **BLOCK, "WINBACK_INGEST__STREAMS": str(streams)})
    state = runtime.open_state(settings)
    for node in place.nodes:
        node.execute_command("FLUSHALL", "SYNC")
    for number, stream in enumerate(state.streams.ensure(streams)):
        stream.create_group()
        publish(state.client, stream.key, (logged.entry for logged in log if logged.stream(streams) == number))
    before, client, began = [server_s(node) for node in place.nodes], process_time(), perf_counter()
    apply(ingest(state, settings), state, len(log))
    took, client = perf_counter() - began, process_time() - client
    used = [server_s(node) - was for node, was in zip(place.nodes, before, strict=True)]
    waiting = sum(int(node.zcard(key)) for node in place.nodes for key in node.scan_iter("*:lane:*", count=10_000))
    assert waiting == len({logged.event["session_id"] for logged in log}), waiting
    return Measured(tuple(s / len(log) * 1e6 for s in used), client / len(log) * 1e6, len(log) / took)


def _whole_way(place: Place) -> None:
    """Take sessions through the whole path, from silence to a settled attempt."""
    settings = load(place.env)
    state = runtime.open_state(settings)
    deps = replace(build_deps(settings, sends=False), client=cast("YunoClient", Nobody()))
    ago = state.streams.watermark().now_ms - HOUR_MS
    filling.fill_silent(state, "bench", CLAIMED, silent_ms=ago, reachable=True)
    assert sweep(deps).outreaches >= CLAIMED
    leased = state.outbox.lease_due(CLAIMED, now_ms=state.streams.watermark().now_ms, barrier="0-0")
    assert {attempt(outreach, deps).outcome for outreach in leased} == {"sent"}


def _calls(node: Any) -> int:  # noqa: ANN401 - the driver's
    return int(node.info("commandstats")["cmdstat_evalsha"]["calls"])


def _fullest(nodes: int) -> float:
    parts = [0] * nodes
    for number in range(PARTITIONS):
        parts[owner(key_slot(f"{number:02d}".encode()), nodes)] += 1
    return max(parts) / (PARTITIONS / nodes)


if __name__ == "__main__":
    from bench.winback.show import show

    show(measure)
