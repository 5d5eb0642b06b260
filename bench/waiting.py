"""Waits until a condition holds."""

from collections.abc import Callable
from time import monotonic, sleep


def wait_for(condition: Callable[[], bool], within_s: float = 120, every_s: float = 0.02) -> None:
    deadline = monotonic() + within_s
    while not condition():
        if monotonic() > deadline:
            raise TimeoutError("the bench did not get where it should")
        sleep(every_s)
