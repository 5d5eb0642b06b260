"""A worker that leaves messages waiting is detected; one that is busy or has no work isn't."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from redis import Redis

from tasks.broker import BrokerUnavailableError
from worker.celery_support.stall_watchdog import (
    EVERY_S,
    LONGEST_S,
    Check,
    Overdue,
    StallWatchdog,
    end_when_needed,
    running,
)
from worker.supervision.embedded_valkey import EmbeddedValkey

STATE = "worker.celery_support.stall_watchdog.worker_state"


class Worker:
    """The observable state of a worker, and a manual clock."""

    def __init__(self) -> None:
        self.waiting, self.taken, self.in_flight, self.now = 5, 10, 0, 0.0

    def queued(self) -> int:
        if self.waiting < 0:
            raise BrokerUnavailableError("ConnectionError")
        return self.waiting

    def stands_still(self, changes: Callable[["Worker"], object] = lambda _: None) -> bool:
        watchdog = StallWatchdog(self.queued, lambda: self.taken, lambda: self.in_flight, lambda: self.now)
        looks = []
        for _ in range(10):
            looks.append(watchdog.is_stalled())
            self.now += LONGEST_S / 5
            changes(self)
        return any(looks)


def test_waiting_messages_at_an_idle_worker_are_a_stall() -> None:
    assert Worker().stands_still()


@pytest.mark.parametrize(
    "changes",
    [
        lambda worker: setattr(worker, "taken", worker.taken + 1),
        lambda worker: setattr(worker, "in_flight", 1),
        lambda worker: setattr(worker, "waiting", 0),
        lambda worker: setattr(worker, "waiting", -1),
        lambda worker: setattr(worker, "waiting", 5 - worker.waiting),
    ],
    ids=[
        "it takes some",
        "it has one in flight",
        "nothing waits",
        "the broker is away",
        "the queue is emptied at times",
    ],
)
def test_anything_else_is_none(changes: Callable[[Worker], object]) -> None:
    assert not Worker().stands_still(changes)


def test_a_worker_that_was_frozen_itself_is_given_time() -> None:
    worker = Worker()
    worker.waiting = 0
    watchdog = StallWatchdog(worker.queued, lambda: worker.taken, lambda: worker.in_flight, lambda: worker.now)
    assert not watchdog.is_stalled()
    worker.now += 5 * LONGEST_S
    worker.waiting = 1
    assert not watchdog.is_stalled()


def test_it_takes_a_while_before_it_is_believed() -> None:
    worker = Worker()
    watchdog = StallWatchdog(worker.queued, lambda: worker.taken, lambda: worker.in_flight, lambda: worker.now)
    found = []
    for _ in range(8):
        found.append(watchdog.is_stalled())
        worker.now += LONGEST_S / 6
    assert found == [False] * 6 + [True] * 2


STANDS_STILL = """
import sys, time
from celery import Celery
from worker.celery_support import stall_watchdog
stall_watchdog.EVERY_S, stall_watchdog.LONGEST_S = 0.05, 0.3
stall_watchdog.FROZEN_S = 1000.0  # however busy the machine is
stall_watchdog.start_stall_watchdog(Celery("test", broker=sys.argv[1], set_as_current=False), "a.queue")
time.sleep(60)
"""


@pytest.mark.xdist_group("valkey")
@pytest.mark.parametrize(
    ("to_sigterm", "ends_by"), [("SIG_DFL", signal.SIGTERM), ("SIG_IGN", signal.SIGKILL)], ids=["heeds", "ignores"]
)
def test_stalled_process_ends_in_order_or_by_force(
    valkey: EmbeddedValkey, to_sigterm: str, ends_by: signal.Signals
) -> None:
    code = f"import signal\nsignal.signal(signal.SIGTERM, signal.{to_sigterm})\n{STANDS_STILL}"
    with Redis.from_url(valkey.url) as client:
        client.lpush("a.queue", "a message that no worker takes")
        done = subprocess.run([sys.executable, "-c", code, valkey.url], capture_output=True, timeout=50, check=False)
        client.delete("a.queue")
    assert done.returncode == -ends_by
    assert b"standstill" in done.stdout + done.stderr


@pytest.mark.xdist_group("valkey")
def test_worker_without_messages_is_not_stalled(valkey: EmbeddedValkey) -> None:
    code = STANDS_STILL.replace("time.sleep(60)", "time.sleep(2)")
    done = subprocess.run([sys.executable, "-c", code, valkey.url], capture_output=True, timeout=50, check=False)
    assert done.returncode == 0


# A task that never ends


class Tasks:
    """Running tasks, and a manual clock."""

    def __init__(self) -> None:
        self.now, self.ids = 1000.0, frozenset({"stuck"})
        self.overdue = Overdue(100.0, lambda: self.ids, lambda: self.now)

    def seen_for(self, seconds: float, every_s: float = EVERY_S) -> bool:
        found = [self.overdue.is_stalled()]
        ends = self.now + seconds
        while self.now < ends:
            self.now += every_s
            found.append(self.overdue.is_stalled())
        return any(found)


def test_task_beyond_its_limit_is_overdue() -> None:
    tasks = Tasks()

    assert not tasks.seen_for(100)
    assert tasks.seen_for(EVERY_S)


def test_tasks_that_end_in_time_are_not_overdue() -> None:
    tasks = Tasks()

    for number in range(10):
        tasks.ids = frozenset({f"task {number}"})
        assert not tasks.seen_for(50)


def test_frozen_worker_gives_its_tasks_their_time_again() -> None:
    tasks = Tasks()
    tasks.seen_for(50)
    tasks.now += 3600

    assert not tasks.seen_for(90)
    assert tasks.seen_for(2 * EVERY_S)


def test_running_tasks_are_those_celery_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{STATE}.active_requests", [SimpleNamespace(id="one")])

    assert running() == {"one"}


def test_running_tasks_are_read_again_after_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    readings: Iterator[list[str]] = iter([[], [], ["one"]])

    class Changing:
        def __iter__(self) -> Iterator[SimpleNamespace]:
            found = next(readings)
            if not found:
                raise RuntimeError("Set changed size during iteration")
            return (SimpleNamespace(id=name) for name in found)

    monkeypatch.setattr(f"{STATE}.active_requests", Changing())

    assert running() == {"one"}


# The end of the worker


def end(applies: Callable[[], bool], polls: int) -> tuple[list[signal.Signals], list[float], int]:
    """Return the signals sent to a worker, the waits (s), and how often the reason is logged."""
    sent: list[signal.Signals] = []
    waits: list[float] = []
    logged: list[str] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > polls

    end_when_needed([Check(applies, lambda: logged.append("reason"))], 70.0, wait, sent.append)
    return sent, waits, len(logged)


def test_worker_is_asked_to_end_before_it_is_killed() -> None:
    sent, waits, logged = end(lambda: True, polls=3)

    assert sent[:2] == [signal.SIGTERM, signal.SIGKILL]
    assert waits[:3] == [EVERY_S, 70.0, EVERY_S]
    assert logged


def test_worker_without_a_reason_goes_on() -> None:
    assert end(lambda: False, polls=3) == ([], [EVERY_S] * 4, 0)


def test_check_that_fails_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> bool:
        raise RuntimeError

    assert end(fails, polls=1)[0] == []
    assert "stall_check_failed" in capsys.readouterr().out


@pytest.mark.xdist_group("valkey")
def test_worker_beyond_its_memory_limit_ends_itself(valkey: EmbeddedValkey) -> None:
    code = STANDS_STILL.replace("=False)", "=False, worker_max_memory_per_child=1000)").replace(
        '"a.queue")', '"a.queue", threads=True)'
    )

    done = subprocess.run([sys.executable, "-c", code, valkey.url], capture_output=True, timeout=50, check=False)

    assert done.returncode == -signal.SIGTERM
    assert b"memory_limit_reached" in done.stdout + done.stderr
