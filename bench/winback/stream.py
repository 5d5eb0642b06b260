"""The limit of one stream, and of three on three nodes: events written, read and acknowledged, nothing applied.

A server's time per event shows how many per second it could take if it did nothing else, with producers and readers on
other machines, because it works on one thread. Shops write one event at a time on many connections; a pipeline is the
lowest cost of writing.
"""

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.figures import Figure, Goal
from bench.processes import server_s
from bench.shop_log import Logged
from bench.winback.log_on_server import some_log
from bench.winback.nodes import Place, cluster, stream_nodes
from bench.winback.running import SECRET
from tests.support.cluster_nodes import NODES
from worker import runtime
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey

PART = "own: only the stream"
BATCH = 1000
CONNECTIONS = 64
WANTED = Goal(">=", 100_000)
"""If one stream takes fewer, several are needed."""
NOTE = "a second of each server's one thread over what an event costs it"


def measure(*, quick: bool = False, rounds: int = 3) -> list[Figure]:
    log = some_log(quick)
    piped, single, read = [], [], []
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        settings = load({**SECRET, "WINBACK_REDIS_URL": server.url})
        state = runtime.open_state(settings)
        port = int(server.url.rpartition(":")[2].partition("/")[0])
        for _ in range(rounds):
            state.client.flushall()
            state.streams.first.create_group()
            piped.append(_written(state, port, log, pipeline=True))
            read.append(_read(state, len(log)))
            single.append(_written(state, port, log, pipeline=False))
            read[-1] = (read[-1][0], (read[-1][1] + _read(state, len(log))[1]) / 2)
        together = _together(state, port, len(log), rounds)
    with TemporaryDirectory() as directory, cluster(Path(directory)) as place:
        several = [_several(place, log) for _ in range(rounds)]
    ways = (("one at a time, 64 connections", single), ("in pipelines", piped))
    found = [Figure(PART, f"XADD {name}, server", tuple(us for _, us in way), "us") for name, way in ways]
    found += [Figure(PART, f"XADD {name}, on this machine", tuple(rate for rate, _ in way), "/s") for name, way in ways]
    found.append(Figure(PART, "XREADGROUP and acknowledge, server", tuple(us for _, us in read), "us"))
    found.append(Figure(PART, "XREADGROUP and acknowledge, on this machine", tuple(rate for rate, _ in read), "/s"))
    for name, way in ways:
        could = tuple(1e6 / (add + take) for (_, add), (_, take) in zip(way, read, strict=True))
        found.append(Figure(PART, f"what one server could take, written {name}", could, "/s", WANTED, NOTE))
    name = f"what {NODES} nodes with a stream each could take, written one at a time, {CONNECTIONS} connections each"
    found.append(Figure(PART, name, tuple(several), "/s", WANTED, NOTE))
    found.append(Figure(PART, "written in pipelines and read at the same time, on this machine", together, "/s"))
    return found


def _written(state: runtime.State, port: int, log: Sequence[Logged], *, pipeline: bool) -> tuple[float, float]:
    """Write the events; return how many per second, and the server's processor time of each (us)."""
    requests = [_xadd(state.keys.events, logged.line) for logged in log]
    used, began = server_s(state.client), perf_counter()
    if pipeline:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for start in range(0, len(requests), BATCH):
                chunk = requests[start : start + BATCH]
                connection.sendall(b"".join(chunk))
                _replies(connection, len(chunk))
    else:
        _one_at_a_time(port, requests)
    took, used = perf_counter() - began, server_s(state.client) - used
    assert state.client.xlen(state.keys.events) == len(log)
    return len(log) / took, used / len(log) * 1e6


def _one_at_a_time(port: int, requests: Sequence[bytes]) -> None:
    """Write events like many processes of a shop, each on its own connection."""
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    for start in range(0, len(requests), CONNECTIONS):
        pairs = list(zip(connections, requests[start : start + CONNECTIONS], strict=False))
        for connection, request in pairs:
            connection.sendall(request)
        for connection, _ in pairs:
            _replies(connection, 1)
    for connection in connections:
        connection.close()


def _several(place: Place, log: Sequence[Logged]) -> float:
    """Spread events over the streams of all nodes, read and acknowledge them; return the rate that the nodes allow."""
    state = runtime.open_state(load(place.env))
    for node in place.nodes:
        node.execute_command("FLUSHALL", "SYNC")
    streams = state.streams.ensure(NODES)
    of_node = [0] * NODES
    before = [server_s(node) for node in place.nodes]
    for number, stream in enumerate(streams):
        stream.create_group()
        at = stream_nodes()[number]
        mine = [_xadd(stream.key, logged.line) for logged in log if logged.stream(NODES) == number]
        of_node[at] = len(mine)
        _one_at_a_time(place.nodes[at].connection_pool.connection_kwargs["port"], mine)
    done = 0
    while done < len(log):
        readings = state.streams.read(streams, "bench", count=BATCH, block_ms=100)
        done += sum(state.streams.send_acknowledge(readings, one_read=True).result())
    assert (done, state.streams.watermark().first) == (len(log), "")
    used = [server_s(node) - was for node, was in zip(place.nodes, before, strict=True)]
    return sum(number / seconds for number, seconds in zip(of_node, used, strict=True))


def _read(state: runtime.State, number: int) -> tuple[float, float]:
    """Read and acknowledge all; return how many per second, and the server's processor time of each (us)."""
    used, began, done = server_s(state.client), perf_counter(), 0
    while done < number:
        ids = [entry.id for entry in state.streams.first.read("bench", count=BATCH, block_ms=100)]
        done += state.streams.first.acknowledge(ids, one_read=True)
    took, used = perf_counter() - began, server_s(state.client) - used
    assert (done, state.client.xlen(state.keys.events)) == (number, 0)
    return done / took, used / done * 1e6


def _together(state: runtime.State, port: int, number: int, rounds: int) -> tuple[float, ...]:
    """Return the rate of events (per second) while another process writes them."""
    rates = []
    for _ in range(rounds):
        writer = subprocess.Popen([sys.executable, "-m", __spec__.name, "write", str(port), str(number)])
        assert not state.streams.first.read("bench", count=1, block_ms=1), "there was something to read before"
        while not state.client.xlen(state.keys.events):
            assert writer.poll() is None, "the writer has ended"
        rates.append(_read(state, number)[0])
        assert writer.wait(30) == 0
    return tuple(rates)


def _xadd(key: str, line: str) -> bytes:
    words = (b"XADD", key.encode(), b"*", b"event", line.encode())
    return b"*5\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def _replies(connection: socket.socket, number: int) -> None:
    """Wait for this many ids, each two lines long."""
    lines = 0
    while lines < 2 * number:
        received = connection.recv(1 << 16)
        assert received
        assert not received.startswith(b"-"), received
        lines += received.count(b"\n")


def _write(port: int, number: int) -> None:
    """Write this many events as fast as one process can; the texts are made before the first write."""
    log = some_log(quick=True)
    requests = [_xadd("winback:events", log[index % len(log)].line) for index in range(number)]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for start in range(0, number, BATCH):
            chunk = requests[start : start + BATCH]
            connection.sendall(b"".join(chunk))
            _replies(connection, len(chunk))


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        _write(int(sys.argv[2]), int(sys.argv[3]))
    else:
        from bench.winback.show import show

        show(measure)
