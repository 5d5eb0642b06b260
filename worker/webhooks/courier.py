"""Posts deliveries in threads, so that a slow receiver holds up nothing else."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import NamedTuple

from worker.webhooks.client import Answer
from worker.webhooks.schedule import AT_A_TIME, Delivery
from worker.webhooks.signing import headers

Post = Callable[[str, Mapping[str, str]], Answer]


class Result(NamedTuple):
    """The end of one request."""

    delivery: Delivery
    answer: Answer


class Courier:
    """The requests in flight. `keys` sign each of them; `now` is the wall clock (s)."""

    def __init__(self, post: Post, keys: tuple[bytes, ...], now: Callable[[], float] = time.time) -> None:
        self._post = post
        self._keys = keys
        self._now = now
        self._results: SimpleQueue[Result] = SimpleQueue()
        self._pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="webhook")
        self._in_flight = 0

    @property
    def is_idle(self) -> bool:
        """Whether no request is in flight."""
        return not self._in_flight

    def submit(self, delivery: Delivery) -> None:
        """Post a delivery in another thread."""
        self._in_flight += 1
        self._pool.submit(self._carry, delivery)

    def results(self, wait_s: float = 0.0) -> list[Result]:
        """Return the results that weren't returned yet; without any, wait for the first one for this long."""
        found: list[Result] = []
        while self._in_flight:
            try:
                found.append(self._results.get(timeout=0 if found else wait_s))
            except Empty:
                break
            self._in_flight -= 1
        return found

    def finish(self) -> list[Result]:
        """Wait for all requests in flight, each of which has a deadline, and return their results."""
        found: list[Result] = []
        while self._in_flight:
            found.append(self._results.get())
            self._in_flight -= 1
        return found

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _carry(self, delivery: Delivery) -> None:
        try:
            answer = self._post(delivery.body, headers(delivery.id, int(self._now()), delivery.body, self._keys))
        except Exception as problem:  # noqa: BLE001 - a bug must not lose the entry; its message can hold the URL
            answer = Answer(type(problem).__name__)
        self._results.put(Result(delivery, answer))
