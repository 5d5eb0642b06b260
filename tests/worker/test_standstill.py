"""A worker before which messages wait and that takes none is found out; one that is busy, or has no work, is not."""

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from redis import Redis

from tasks.broker import BrokerAwayError
from worker.celery_support.stall_watchdog import LONGEST_S, Standstill
from worker.supervision.embedded_valkey import EmbeddedValkey


class Worker:
    """What can be seen of a worker, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.waiting, self.taken, self.in_hand, self.now = 5, 10, 0, 0.0

    def queued(self) -> int:
        if self.waiting < 0:
            raise BrokerAwayError("ConnectionError")
        return self.waiting

    def stands_still(self, changes: Callable[["Worker"], object] = lambda _: None) -> bool:
        standstill = Standstill(self.queued, lambda: self.taken, lambda: self.in_hand, lambda: self.now)
        looks = []
        for _ in range(10):
            looks.append(standstill.is_one())
            self.now += LONGEST_S / 5
            changes(self)
        return any(looks)


def test_messages_that_wait_for_too_long_before_an_idle_worker_are_a_standstill() -> None:
    assert Worker().stands_still()


@pytest.mark.parametrize(
    "changes",
    [
        lambda worker: setattr(worker, "taken", worker.taken + 1),
        lambda worker: setattr(worker, "in_hand", 1),
        lambda worker: setattr(worker, "waiting", 0),
        lambda worker: setattr(worker, "waiting", -1),
        lambda worker: setattr(worker, "waiting", 5 - worker.waiting),
    ],
    ids=["it takes some", "it has one in hand", "nothing waits", "the broker is away", "the queue is emptied at times"],
)
def test_anything_else_is_none(changes: Callable[[Worker], object]) -> None:
    assert not Worker().stands_still(changes)


def test_a_worker_that_was_frozen_itself_is_given_time() -> None:
    worker = Worker()
    worker.waiting = 0
    standstill = Standstill(worker.queued, lambda: worker.taken, lambda: worker.in_hand, lambda: worker.now)
    assert not standstill.is_one()
    worker.now += 5 * LONGEST_S
    worker.waiting = 1
    assert not standstill.is_one()


def test_it_takes_a_while_before_it_is_believed() -> None:
    worker = Worker()
    standstill = Standstill(worker.queued, lambda: worker.taken, lambda: worker.in_hand, lambda: worker.now)
    found = []
    for _ in range(8):
        found.append(standstill.is_one())
        worker.now += LONGEST_S / 6
    assert found == [False] * 6 + [True] * 2


STANDS_STILL = """
import sys, time
from celery import Celery
from worker.celery_support import stall_watchdog
stall_watchdog.EVERY_S, stall_watchdog.LONGEST_S = 0.05, 0.3
stall_watchdog.watch_for_it(Celery("test", broker=sys.argv[1], set_as_current=False), "a.queue")
time.sleep(60)
"""


@pytest.mark.xdist_group("valkey")
@pytest.mark.parametrize(
    ("to_sigterm", "ends_by"), [("SIG_DFL", signal.SIGTERM), ("SIG_IGN", signal.SIGKILL)], ids=["heeds", "ignores"]
)
def test_a_process_that_stands_still_is_ended_in_order_or_by_force(
    valkey: EmbeddedValkey, to_sigterm: str, ends_by: signal.Signals
) -> None:
    code = f"import signal\nsignal.signal(signal.SIGTERM, signal.{to_sigterm})\n{STANDS_STILL}"
    with Redis.from_url(valkey.url) as client:
        client.lpush("a.queue", "a message that nobody takes")
        done = subprocess.run([sys.executable, "-c", code, valkey.url], capture_output=True, timeout=50, check=False)
        client.delete("a.queue")
    assert done.returncode == -ends_by
    assert b"standstill" in done.stdout + done.stderr


@pytest.mark.xdist_group("valkey")
def test_with_nothing_waiting_it_goes_on(valkey: EmbeddedValkey) -> None:
    code = STANDS_STILL.replace("time.sleep(60)", "time.sleep(2)")
    done = subprocess.run([sys.executable, "-c", code, valkey.url], capture_output=True, timeout=50, check=False)
    assert done.returncode == 0
