"""Ordered stops that leave nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.processes import SLEEP, WITH_A_STUBBORN_CHILD, Lines, group_is_gone, is_gone, python, until
from worker.supervision.restart_policy import RestartPolicy
from worker.supervision.stop_signals import StopSignals
from worker.supervision.supervisor import (
    Supervisor,
)


@pytest.fixture
def lines() -> Lines:
    return Lines()


class FakeServer:
    """A mock of the embedded server that records its stop."""

    name = "valkey"

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def start(self) -> None:
        if self.pid is None:
            self._process = subprocess.Popen([sys.executable, "-S", "-c", SLEEP], start_new_session=True)

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self.pid is not None:
            with self._journal.open("a") as journal:
                journal.write("valkey\n")
            self._process.kill()
            self._process.wait()

    def last_lines(self) -> Sequence[str]:
        return []


def test_stop_goes_from_producers_to_workers_to_the_server(lines: Lines, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    code = """
import signal, sys, time
def stop(*_):
    time.sleep(0.05)
    with open(sys.argv[2], "a") as journal:
        journal.write(sys.argv[1] + "\\n")
    sys.exit()
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
time.sleep(600)
"""
    names = ["mock-api", "flower", "recover", "ingest", "sweep", "beat"]
    server = FakeServer(journal)
    with Supervisor([python(name, code, name, journal) for name in names], server=server, output=lines) as supervisor:
        supervisor.wait_until(lambda: sum(line == "ready" for _, line in list(lines.all)) == len(names))
        assert set(supervisor.pids()) == {*names, "valkey"}
    assert journal.read_text().split() == ["beat", "sweep", "ingest", "recover", "flower", "mock-api", "valkey"]
    assert supervisor.pids() == {}
    assert lines.of("winback") == []


def test_role_that_ignores_the_stop_is_killed_with_its_children(lines: Lines) -> None:
    deaf = "import signal\nsignal.signal(15, signal.SIG_IGN)\n" + WITH_A_STUBBORN_CHILD
    with Supervisor([python("recover", deaf, grace_s=0.1)], output=lines) as supervisor:
        supervisor.wait_until(lambda: "stubborn" in lines.of("recover"))
        pid = supervisor.pids()["recover"]
    until(lambda: group_is_gone(pid))


def test_role_waiting_for_a_restart_stays_down_during_the_stop(lines: Lines) -> None:
    with Supervisor([python("beat", "")], output=lines, policy=RestartPolicy(first=600, longest=600)) as supervisor:
        supervisor.wait_until(lambda: lines.of("winback"))
    assert supervisor.restarts["beat"] == 0
    assert supervisor.pids() == {}


def test_stopping_twice_does_no_harm(lines: Lines) -> None:
    with Supervisor([python("beat", SLEEP)], output=lines) as supervisor:
        supervisor.stop()
        supervisor.stop()
    assert supervisor.pids() == {}


RUN = """
import sys
from pathlib import Path
from worker.supervision.roles import Role
from worker.supervision.supervisor import Supervisor
from worker.supervision.embedded_valkey import EmbeddedValkey

stubborn, deaf = sys.argv[2:]
roles = [
    Role("recover", (sys.executable, "-S", "-c", stubborn)),
    Role("beat", (sys.executable, "-S", "-c", deaf), grace_s=float("600" if deaf else "10")),
]
with EmbeddedValkey(Path(sys.argv[1]), port=0) as server:
    print("pid", server.pid, flush=True)
    sys.exit(0 if Supervisor(roles, server=server).run() else 130)
"""
OBEDIENT = "import os, signal; print('pid', os.getpid(), flush=True); "
DEAF = "import signal; signal.signal(15, signal.SIG_IGN); " + OBEDIENT
SLOW = "import signal; signal.signal(15, lambda *_: print('stopping', flush=True)); " + OBEDIENT


@contextmanager
def running(directory: Path, beat: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Yield a supervisor in a separate process, with the ids of all processes below it."""
    command = [sys.executable, "-c", RUN, str(directory), WITH_A_STUBBORN_CHILD, beat + SLEEP]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids: list[int] = []
        while len(pids) < 4:  # the server, beat, recover and recover's child
            pids += [int(pid) for pid in re.findall(r"pid (\d+)", process.stdout.readline())]
        try:
            yield process, pids
        finally:
            process.kill()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_in_order(tmp_path: Path, stop: signal.Signals) -> None:
    with running(tmp_path, OBEDIENT) as (process, pids):
        process.send_signal(stop)
        assert process.wait(15) == 0
        until(lambda: all(map(is_gone, pids)))


def test_a_second_signal_kills_at_once(tmp_path: Path) -> None:
    with running(tmp_path, SLOW) as (process, pids):
        assert process.stdout is not None
        process.send_signal(signal.SIGINT)
        # Its grace is ten minutes: only a second signal ends it within this test.
        assert any("stopping" in line for line in process.stdout)
        time.sleep(0.2)  # an operator's pace: a signal within a tenth of a second is the same request
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 130
        until(lambda: all(map(is_gone, pids)))


@pytest.fixture
def own_signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("own_signals")
def test_two_simultaneous_signals_are_one_request() -> None:
    now = [100.0]
    asked: list[str] = []

    def signals() -> StopSignals:
        return StopSignals(
            first=lambda: asked.append("stop"), second=lambda: asked.append("kill"), clock=lambda: now[0]
        )

    before = signal.getsignal(signal.SIGTERM)
    with signals():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
    with signals() as stop:
        signal.raise_signal(signal.SIGINT)
        now[0] += 0.05
        signal.raise_signal(signal.SIGTERM)
        assert asked == ["stop"]
        assert not stop.came_twice
        now[0] += 0.2
        signal.raise_signal(signal.SIGTERM)
        assert asked == ["stop", "kill"]
        assert stop.came_twice
    signal.raise_signal(signal.SIGINT)
    assert asked == ["stop", "kill"]


@pytest.mark.parametrize("frozen", [False, True])
def test_when_the_supervisor_is_killed_nothing_stays_behind(tmp_path: Path, *, frozen: bool) -> None:
    with running(tmp_path, DEAF) as (process, pids):
        for pid in pids if frozen else []:
            os.kill(pid, signal.SIGSTOP)
        process.kill()
        until(lambda: all(map(is_gone, pids)))
        until(lambda: all(map(group_is_gone, pids)))


def test_an_interrupted_stop_kills_what_is_left(lines: Lines) -> None:
    interrupt_us = (
        "import os, signal\n"
        "signal.signal(15, lambda *_: os.kill(os.getppid(), signal.SIGALRM))\n"
        "print('ready', flush=True)\n"
    )
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    with Supervisor([python("beat", interrupt_us + SLEEP, grace_s=600)], output=lines) as supervisor:
        supervisor.wait_until(lambda: lines.of("beat"))
        pid = supervisor.pids()["beat"]
        with pytest.raises(KeyboardInterrupt):
            supervisor.stop()
    signal.signal(signal.SIGALRM, before)
    until(lambda: group_is_gone(pid))
