"""Waits for a condition."""

from collections.abc import Callable
from time import monotonic, sleep


def eventually(condition: Callable[[], object], within_s: float = 10.0) -> None:
    deadline = monotonic() + within_s
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.005)
