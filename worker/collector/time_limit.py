"""A limit of time for what a request waits for."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Found = TypeVar("Found")


class TimeLimit:
    """Ends what takes too long. One timer serves all tasks: one for each costs more than reading most bodies."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._started: dict[asyncio.Task[object], float] = {}
        """When each task started, the first one first."""
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def within(self, act: Awaitable[Found]) -> Found:
        """Return the result of `act`. A task can have one limit at a time.

        Raises:
            TimeoutError: It took longer than the limit.
        """
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._started[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._limit_s, self._end_late)
        try:
            return await act
        except asyncio.CancelledError:
            # Something else can have cancelled the task, too.
            if task in self._late and task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            del self._started[task]
            self._late.discard(task)

    def _end_late(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        for task, started_s in self._started.items():
            wait_s = started_s + self._limit_s - loop.time()
            if wait_s > 0:
                self._timer = loop.call_later(wait_s, self._end_late)
                return
            if task not in self._late:
                self._late.add(task)
                task.cancel()
