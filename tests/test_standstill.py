"""A worker before which messages wait and that takes none is found out; one that is busy, or has no work, is not."""

from collections.abc import Callable

import pytest

from tasks.broker import BrokerAwayError
from worker.standstill import LONGEST_S, Standstill


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
