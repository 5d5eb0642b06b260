"""Stream to applied, with one, two and four real ingest processes on one server.

On a machine with few processors, two things limit a further process: the server, which applies on one thread, and the
machine itself. So there are two sets of figures. "As fast as it goes" is this machine's limit, with the load of the
server as the explanation. "An eighth of a processor each" shows how ingest scales while neither is the limit. All
ingest processes share one processor with others that only burn time, eight in total, so each gets an eighth. The server
has the other processor to itself.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from redis import Redis

from bench.figures import Figure, Goal, ratio
from bench.processes import Used, measured
from bench.waiting import wait_for
from bench.winback.log_on_server import LogOnServer, some_log
from bench.winback.running import SECRET, Roles, running
from worker.supervision.embedded_valkey import EmbeddedValkey

PART = "own: ingest, stream to applied"
PROCESSES = (1, 2, 4)
SHARES = 8
WINDOW_S, SETTLE_S = 4.0, 1.0


def measure(*, quick: bool = False, rounds: int = 3) -> list[Figure]:
    fast: dict[int, list[Used]] = {number: [] for number in PROCESSES}
    shared: dict[int, list[float]] = {number: [] for number in PROCESSES}
    log = some_log(quick)
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        env = {**SECRET, "WINBACK_REDIS_URL": server.url}
        kept = LogOnServer(server.url, log, into="winback:events")
        assert server.pid is not None
        for _ in range(1 if quick else rounds):
            for number in PROCESSES:
                kept.empty_shop()
                with running(env, Path(directory)) as roles:
                    for place in range(number):
                        roles.start("ingest", "--consumer", f"bench-{place}")
                    roles.wait()
                    fast[number].append(_whole(kept, roles, server.url))
                    kept.empty_shop()
                    shared[number].append(_shared(kept, roles, server.pid, 1.0 if quick else WINDOW_S))
    return [*_as_fast(fast, len(log)), *_shares(shared)]


def _whole(kept: LogOnServer, roles: Roles, url: str) -> Used:
    """Return the time until the whole log is applied."""
    client = Redis.from_url(url)
    kept.pour()
    with measured(client, *(role.pid for role in roles.running)) as used:
        wait_for(lambda: kept.left() == 0)
    assert sum(client.zcard(key) for key in client.scan_iter("winback:*:lane:*", count=10_000)) > 0
    return used


def _shared(kept: LogOnServer, roles: Roles, server_pid: int, window_s: float) -> float:
    """Return events applied per second while each process has an eighth of a processor."""
    pids = [role.pid for role in roles.running]
    with _on_processors(server_pid, pids, burners=SHARES - len(pids)):
        kept.pour()
        before = kept.left()
        wait_for(lambda: kept.left() < before)
        sleep(SETTLE_S)
        began, first = monotonic(), kept.left()
        sleep(window_s)
        took, last = monotonic() - began, kept.left()
    assert last > 0, "the log was too short"
    return (first - last) / took


@contextmanager
def _on_processors(server_pid: int, pids: list[int], burners: int) -> Iterator[None]:
    allowed = sorted(os.sched_getaffinity(0))
    server, ingest = {allowed[0]}, {allowed[-1]}
    with ExitStack() as stack:
        for _ in range(burners):
            # In a separate session, like each ingest process: Linux shares a processor by sessions.
            burner = subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"], start_new_session=True)
            stack.callback(burner.wait)
            stack.callback(burner.kill)
            os.sched_setaffinity(burner.pid, ingest)
        try:
            _pin(server_pid, server)
            for pid in pids:
                _pin(pid, ingest)
            yield
        finally:
            for pid in (server_pid, *pids):
                _pin(pid, set(allowed))


def _pin(pid: int, processors: set[int]) -> None:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), processors)


def _as_fast(fast: dict[int, list[Used]], events: int) -> list[Figure]:
    found = []
    for number, rounds in fast.items():
        name = f"{number} process{'es' if number > 1 else ''}"
        busy = tuple(used.server_s / used.clock_s * 100 for used in rounds)
        found += [
            Figure(PART, f"{name}, as fast as it goes", tuple(events / used.clock_s for used in rounds), "/s"),
            Figure(PART, f"{name}, server's processor time of an event", _us(rounds, "server_s", events), "us"),
            Figure(PART, f"{name}, processes' processor time of an event", _us(rounds, "client_s", events), "us"),
            Figure(PART, f"{name}, server busy", busy, "%", note="100: one thread, so it is the limit"),
        ]
    return found


def _us(rounds: list[Used], name: str, events: int) -> tuple[float, ...]:
    return tuple(float(getattr(used, name)) / events * 1e6 for used in rounds)


def _shares(shared: dict[int, list[float]]) -> list[Figure]:
    note = "an eighth of a processor each, so that the server is not the limit"
    return [
        *(
            Figure(PART, f"{number} with an eighth of a processor each", tuple(rates), "/s")
            for number, rates in shared.items()
        ),
        ratio(PART, "two processes against one, server not the limit", shared[2], shared[1], Goal(">=", 1.7), note),
        ratio(PART, "four processes against one, server not the limit", shared[4], shared[1], None, note),
    ]


if __name__ == "__main__":
    from bench.winback.show import show

    show(measure)
