"""Stores accepted events, those of concurrent requests together: in Redis, else in the spool.

One thread does it. So events keep the order in which they were accepted, and one round trip or one fsync serves all
requests that wait.
"""

import asyncio
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from time import sleep

import structlog

from state.errors import StateError
from worker.collector.spool import Spool, SpoolFullError

MOST_AT_ONCE = 1000
"""Events of one group."""
MOST_OF_ONE = 100
"""Events of one request in a group: a request with few events doesn't wait for all of a large batch."""
GATHER_S = 0.001
"""Under load, how long a group waits for more requests: one round trip for each few of them takes a third more time."""

log = structlog.stdlib.get_logger("winback.collector")


class _Submission:
    __slots__ = ("done", "events", "loop", "received_ms")

    def __init__(self, received_ms: int, events: Sequence[bytes]) -> None:
        self.received_ms = received_ms
        self.events = events
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self.loop.create_future()


class Committer:
    """The thread that stores events."""

    def __init__(self, write: Callable[[Sequence[bytes]], None], spool: Spool) -> None:
        """`write` adds events to the streams and raises StateError if it can't be told that all are there."""
        self._write = write
        self._spool = spool
        self._waiting: list[_Submission] = []
        self._storing: list[_Submission] = []
        self._changed = Condition()
        self._stopped = False
        self._thread = Thread(target=self._run, name="commit")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Store what was submitted, then end the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    async def commit(self, received_ms: int, events: Sequence[bytes]) -> None:
        """Return when events are in Redis or in the spool.

        Raises:
            SpoolFullError: some of them are in neither. Storing them again does no harm.
        """
        for start in range(0, len(events), MOST_OF_ONE):
            await self._submit(received_ms, events[start : start + MOST_OF_ONE])

    async def _submit(self, received_ms: int, events: Sequence[bytes]) -> None:
        submission = _Submission(received_ms, events)
        with self._changed:
            self._waiting.append(submission)
            self._changed.notify()
        await submission.done

    def oldest_ms(self) -> int | None:
        """Return when the first event that is in neither was accepted (Unix ms); None if all are in one."""
        with self._changed:
            return min((one.received_ms for one in (*self._storing, *self._waiting)), default=None)

    def _run(self) -> None:
        while group := self._next():
            problem = self._store(group)
            _finish(group, problem)

    def _next(self) -> list[_Submission]:
        """Return the next group, with the previous one stored; empty after the end."""
        with self._changed:
            is_busy, self._storing = len(self._storing) > 1, []
            self._changed.wait_for(lambda: self._waiting or self._stopped)
        if is_busy:
            sleep(GATHER_S)
        with self._changed:
            self._storing, self._waiting = _first(self._waiting)
            return self._storing

    def _store(self, group: Sequence[_Submission]) -> Exception | None:
        events = [event for submission in group for event in submission.events]
        try:
            if self._spool.is_empty and self._written(events):
                return None
            self._spool.append(min(one.received_ms for one in group), events)
        except SpoolFullError as problem:
            return problem
        except Exception as problem:  # noqa: BLE001 - the thread must go on; the message can hold what was sent
            log.error("commit_failed", error=type(problem).__name__)  # noqa: TRY400 - as above
            return problem
        return None

    def _written(self, events: Sequence[bytes]) -> bool:
        try:
            self._write(events)
        except StateError as problem:
            # Some may be in a stream. They are delivered again, which does no harm.
            log.error("state_unreachable", error=str(problem), kept_in="the spool")  # noqa: TRY400 - one line says it
            return False
        return True


def _first(waiting: list[_Submission]) -> tuple[list[_Submission], list[_Submission]]:
    """Return the first submissions, up to the size of a group but at least one, and the others."""
    size = 0
    for number, submission in enumerate(waiting):
        size += len(submission.events)
        if size >= MOST_AT_ONCE:
            return waiting[: number + 1], waiting[number + 1 :]
    return waiting, []


def _finish(group: Sequence[_Submission], problem: Exception | None) -> None:
    def set_done() -> None:
        for submission in group:
            if submission.done.done():
                continue
            if problem is None:
                submission.done.set_result(None)
            else:
                submission.done.set_exception(problem)

    group[0].loop.call_soon_threadsafe(set_done)
